// Whose the other end of a TCP connection on this machine is; see sock_diag(7).
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

// A socket to ask the kernel over, non-blocking and close-on-exec, or -errno.
int mooring_diagnosis_open(void);
// The user whose program has the other end of a connection, or listens for it. 0 or -errno: -ENOENT
// when it has no such end here.
int mooring_diagnosis_peer_user(int fd, int connection, uint32_t *user);
