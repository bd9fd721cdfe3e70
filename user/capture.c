/* SPDX-License-Identifier: GPL-2.0-only */
/* libpcap reads; here is what it says when it cannot, and which link types are ours. */
#include "capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int tell(const char *path, int err, const char *reason, struct failure *failure)
{
	return failure_set(failure, err, "Can't read capture '%s': %s", path, reason);
}

static int open_file(const char *path, FILE **file, struct failure *failure)
{
	struct stat st;

	*file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!*file)
		return tell(path, errno, strerror(errno), failure);
	if (fstat(fileno(*file), &st) || !S_ISDIR(st.st_mode))
		return 0;
	fclose(*file);
	return tell(path, EISDIR, strerror(EISDIR), failure);
}

static int check_link(const char *path, pcap_t *pcap, struct failure *failure)
{
	int link = pcap_datalink(pcap);
	const char *name = pcap_datalink_val_to_name(link);

	if (link == DLT_EN10MB)
		return 0;
	return failure_set(failure, EPROTO,
			   "Can't read capture '%s': its link type is %s (%d), only Ethernet is "
			   "read; capture on one interface: tcpdump -i eth0",
			   path, name ? name : "unknown", link);
}

/* With pcap_fopen_offline the file is libpcap's. */
int capture_open(const char *path, struct capture *capture, struct failure *failure)
{
	char reason[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;
	FILE *file;
	int err = open_file(path, &file, failure);

	if (err)
		return err;
	pcap = pcap_fopen_offline(file, reason);
	if (!pcap) {
		if (file != stdin)
			fclose(file);
		return tell(path, EPROTO, reason, failure);
	}
	err = check_link(path, pcap, failure);
	if (err) {
		pcap_close(pcap);
		return err;
	}
	*capture = (struct capture){.path = path, .pcap = pcap};
	return 0;
}

int capture_next(struct capture *capture, struct captured *captured, struct failure *failure)
{
	struct pcap_pkthdr *header;
	const u_char *frame;

	switch (pcap_next_ex(capture->pcap, &header, &frame)) {
	case 1:
		*captured = (struct captured){frame, header->caplen, header->len};
		return 1;
	case PCAP_ERROR_BREAK:
		return 0;
	default:
		return tell(capture->path, EPROTO, pcap_geterr(capture->pcap), failure);
	}
}

void capture_close(struct capture *capture)
{
	if (capture->pcap)
		pcap_close(capture->pcap);
	*capture = (struct capture){0};
}
