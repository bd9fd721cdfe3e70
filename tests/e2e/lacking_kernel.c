/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loaded before libc: makes the kernel look as if it lacked what $LACKS names,
 * "af_xdp" (no such sockets), "xdp_load" (refuses XDP programs), "xsk_bind"
 * (binds no AF_XDP socket) or "filter_dump" (a dump of TC filters ends in an
 * error). Everything else goes through.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int lacks(const char *what)
{
	const char *named = getenv("LACKS");

	return named && !strcmp(named, what);
}

int socket(int domain, int type, int protocol)
{
	int (*next)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");

	if (domain == AF_XDP && lacks("af_xdp")) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return next(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
	int (*next)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "bind");

	if (address->sa_family == AF_XDP && lacks("xsk_bind")) {
		errno = EBUSY;
		return -1;
	}
	return next(fd, address, len);
}

static int answers_dump(const struct nlmsghdr *message, ssize_t len)
{
	return len >= (ssize_t)sizeof(*message) &&
	       (message->nlmsg_type == RTM_NEWTFILTER || message->nlmsg_type == NLMSG_DONE);
}

ssize_t recv(int fd, void *octets, size_t room, int flags)
{
	ssize_t (*next)(int, void *, size_t, int) =
		(ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
	ssize_t len = next(fd, octets, room, flags);

	if (lacks("filter_dump") && answers_dump(octets, len))
		((struct nlmsghdr *)octets)->nlmsg_type = NLMSG_ERROR;
	return len;
}

long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long arg[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf && arg[0] == BPF_PROG_LOAD && lacks("xdp_load") &&
	    ((const union bpf_attr *)arg[1])->prog_type == BPF_PROG_TYPE_XDP) {
		errno = EINVAL;
		return -1;
	}
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
