/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request as the packets of a connection, or the packets of a capture: one
 * after the other through the copy of the program. For the verb only: it prints.
 */
#ifndef EDGE426_EXPLAIN_PLAY_H
#define EDGE426_EXPLAIN_PLAY_H

#include "explain_data.h"
#include "explain_print.h"

#define EXPLAIN_PACKETS_MAX 1000000 /* of a capture */

struct explain_player {
	struct explain *explain;
	const struct store *running; /* who knows how far a source has used its limit; or NULL */
	struct explain_printer printer;
};

/*
 * A SYN and the data. Where the edge answers the SYN, the ACK and the data
 * acknowledge its cookie; where the SYN passes, the server's kernel is taken
 * to finish the handshake.
 */
int explain_play_request(struct explain_player *player, const struct explain_ends *ends,
			 const struct explain_data *data, struct failure *failure);

/* What could be read of a damaged capture is shown before the failure is. */
int explain_play_capture(struct explain_player *player, const char *path, struct failure *failure);

#endif
