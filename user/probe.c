/* SPDX-License-Identifier: GPL-2.0-only */
/* Privileges and kernel features, each row with what to call it. */
#include "probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

struct privilege {
	const char *name;
	int capability;
	int instead; /* the older one that includes it */
	bool serving;
};

static const struct privilege privileges[] = {
	{"CAP_NET_ADMIN", CAP_NET_ADMIN, CAP_NET_ADMIN, false},
	{"CAP_BPF", CAP_BPF, CAP_SYS_ADMIN, false},
	{"CAP_PERFMON", CAP_PERFMON, CAP_SYS_ADMIN, false},
	{"CAP_NET_RAW", CAP_NET_RAW, CAP_NET_RAW, true},
};

struct helper {
	const char *name;
	enum bpf_func_id id;
};

static const struct helper helpers[] = {
	{"bpf_skc_lookup_tcp", BPF_FUNC_skc_lookup_tcp},
	{"bpf_skc_to_tcp_sock", BPF_FUNC_skc_to_tcp_sock},
	{"bpf_skc_to_tcp_request_sock", BPF_FUNC_skc_to_tcp_request_sock},
	{"bpf_xdp_adjust_meta", BPF_FUNC_xdp_adjust_meta},
	{"bpf_xdp_load_bytes", BPF_FUNC_xdp_load_bytes},
};

static __u64 effective_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].effective | (__u64)data[1].effective << 32;
}

int probe_privileges(bool serve, struct failure *failure)
{
	__u64 have = effective_capabilities();

	for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
		const struct privilege *row = &privileges[i];

		if (row->serving && !serve)
			continue;
		if (have & ((__u64)1 << row->capability | (__u64)1 << row->instead))
			continue;
		return failure_set(failure, EPERM,
				   "Can't attach packet programs: %s is missing; run as root",
				   row->name);
	}
	return 0;
}

static int probe_sockets(struct failure *failure)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EAFNOSUPPORT)
		return 0; /* a matter of privilege, which a responder is asked for elsewhere */
	return failure_set(failure, EOPNOTSUPP,
			   "Can't use this kernel: it has no AF_XDP sockets "
			   "(CONFIG_XDP_SOCKETS)");
}

int probe_kernel(struct failure *failure)
{
	if (access(KERNEL_BTF, R_OK))
		return failure_set(failure, EOPNOTSUPP,
				   "Can't use this kernel: it has no type information in '%s' "
				   "(CONFIG_DEBUG_INFO_BTF)",
				   KERNEL_BTF);
	for (size_t i = 0; i < ARRAY_LEN(helpers); i++)
		if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, helpers[i].id, NULL) == 0)
			return failure_set(failure, EOPNOTSUPP,
					   "Can't use this kernel: its XDP programs cannot call %s",
					   helpers[i].name);
	return probe_sockets(failure);
}
