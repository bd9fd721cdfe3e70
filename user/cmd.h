/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs, one file each. They parse options, print, and decide the exit status. */
#ifndef EDGE426_CMD_H
#define EDGE426_CMD_H

int cmd_run(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_detach(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_policy(int argc, char **argv);
int cmd_service(int argc, char **argv);
int cmd_allow(int argc, char **argv);
int cmd_exempt(int argc, char **argv);
int cmd_bypass(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_stats(int argc, char **argv);

#endif
