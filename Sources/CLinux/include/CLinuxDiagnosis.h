// Whose the TCP sockets of this machine are; see sock_diag(7).
#pragma once

#include "CLinuxSockets.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

// A socket to ask the kernel over, non-blocking and close-on-exec, or -errno.
int mooring_diagnosis_open(void);
// The user whose program has the other end of a connection, or listens for it. 0 or -errno: -ENOENT
// when it has no such end here.
int mooring_diagnosis_peer_user(int fd, int connection, uint32_t *user);

// Whether any socket listens on a TCP address: 1, 0 or -errno. The cost does not depend on the
// listener.
int mooring_diagnosis_listens(int fd, const struct mooring_address *address);

// A TCP socket that listens.
struct mooring_listener {
    // In network order; of IPv4 the first four bytes.
    uint8_t host[16];
    uint16_t port;
    uint32_t user;
    uint32_t inode;
};

// The sockets of a family (AF_INET or AF_INET6) that listen at a port, or at any (0): how many, at most `capacity` of
// which are written to `listeners`, or -errno. Takes time by the number of all that listen.
int mooring_diagnosis_listeners(
    int fd, int family, uint16_t port, struct mooring_listener *listeners, int capacity);
