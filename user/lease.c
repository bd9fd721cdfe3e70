/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An abstract unix address, which is the network namespace's own and needs no
 * file. It listens so that the kernel tells who asks whose it is; nothing is
 * ever said on a connection.
 */
#include "lease.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ASKERS_MAX 64 /* between two calls of lease_answer; more learn no process id */

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* An abstract address starts with a NUL and ends without one. */
static socklen_t make_address(int ifindex, struct sockaddr_un *address)
{
	int len;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "edge426/%d", ifindex);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* `attach` and `detach` have the lock for a moment. */
static int bind_patiently(int fd, int ifindex)
{
	struct sockaddr_un address;
	socklen_t len = make_address(ifindex, &address);

	for (int tries = 0; tries < 20; tries++) {
		if (!bind(fd, (const struct sockaddr *)&address, len))
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
		usleep(10 * 1000);
	}
	return -EBUSY;
}

int lease_take(int ifindex)
{
	int fd = open_socket(), err;

	if (fd < 0)
		return fd;
	err = bind_patiently(fd, ifindex);
	if (!err && listen(fd, ASKERS_MAX))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

__u32 lease_holder(int ifindex)
{
	struct sockaddr_un address;
	socklen_t len = make_address(ifindex, &address), peer_len = sizeof(struct ucred);
	struct ucred peer = {0};
	int fd = open_socket();

	if (fd < 0)
		return 0;
	if (connect(fd, (const struct sockaddr *)&address, len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len))
		peer.pid = 0;
	close(fd);
	return (__u32)peer.pid;
}

void lease_answer(int lease)
{
	int fd;

	while ((fd = accept4(lease, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}
