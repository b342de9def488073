// Between programs: the service manager's notify socket, and descriptors handed over a unix socket.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// One datagram to a unix address; a leading '@' stands for the abstract namespace. 0 or -errno.
int mooring_notify(const char *address, const char *message, size_t length);

// A unix socket that keeps the bounds of messages (SOCK_SEQPACKET), blocking, close-on-exec, its reads and writes limited to `timeout_ms`.
// Listening: mode 0600; what stood at the path is replaced. A descriptor or -errno.
int mooring_control_listen(const char *path);
int mooring_control_accept(int listener, int timeout_ms);
int mooring_control_connect(const char *path, int timeout_ms);

enum { MOORING_MOST_DESCRIPTORS = 128 };
// Sends one message with descriptors (SCM_RIGHTS, unix(7)). 0 or -errno.
int mooring_send_with(int fd, const void *bytes, size_t length, const int *descriptors, int count);
// Receives one message and the descriptors that came with it, close-on-exec; `*count` has their
// room, then their number. Bytes, 0 when the other end has gone, or -errno: -EMSGSIZE where the
// message did not fit or not all of its descriptors could be had, the others are in the list then.
long mooring_receive_with(int fd, void *bytes, size_t capacity, int *descriptors, int *count);
