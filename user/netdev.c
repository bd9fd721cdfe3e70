/* SPDX-License-Identifier: GPL-2.0-only */
/* Asks the kernel about interfaces; sets nothing. */
#include "netdev.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int netdev_index(const char *name)
{
	return (int)if_nametoindex(name);
}

bool netdev_name(int ifindex, char name[IF_NAMESIZE])
{
	return if_indextoname((unsigned int)ifindex, name);
}

static int ask(const char *name, unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -1;
	strncpy(request->ifr_name, name, sizeof(request->ifr_name) - 1);
	err = ioctl(fd, what, request);
	close(fd);
	return err;
}

__u32 netdev_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};
	__u32 queues = 0;

	if (!ask(name, SIOCETHTOOL, &request))
		queues = channels.rx_count + channels.combined_count;
	return queues ? queues : 1;
}

__u32 netdev_mtu(const char *name)
{
	struct ifreq request = {0};

	return ask(name, SIOCGIFMTU, &request) ? 0 : (__u32)request.ifr_mtu;
}

__u64 netdev_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}
