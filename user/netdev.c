/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks the kernel about interfaces; sets nothing. */
#include "netdev.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int netdev_index(const char *name)
{
	return (int)if_nametoindex(name);
}

__u32 netdev_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	__u32 queues = 0;

	if (fd < 0)
		return 1;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (!ioctl(fd, SIOCETHTOOL, &request))
		queues = channels.rx_count + channels.combined_count;
	close(fd);
	return queues ? queues : 1;
}

__u64 netdev_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}
