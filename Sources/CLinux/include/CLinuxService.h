// Between programs: the service manager's notify socket, and descriptors handed over a unix socket.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// One datagram to a unix address; a leading '@' stands for the abstract namespace. 0 or -errno.
int mooring_notify(const char *address, const char *message, size_t length);

// A unix stream socket, blocking, close-on-exec, its reads and writes limited to `timeout_ms`.
// Listening: mode 0600; what stood at the path is replaced. A descriptor or -errno.
int mooring_control_listen(const char *path);
int mooring_control_accept(int listener, int timeout_ms);
int mooring_control_connect(const char *path, int timeout_ms);

enum { MOORING_MOST_DESCRIPTORS = 128 };
// Sends all bytes, the descriptors with the first of them (SCM_RIGHTS, unix(7)). 0 or -errno.
int mooring_send_with(int fd, const void *bytes, size_t length, const int *descriptors, int count);
// Receives up to `capacity` bytes and the descriptors that came with them, close-on-exec; `*count`
// has their room, then their number. Bytes, 0 at the end of the stream, or -errno.
long mooring_receive_with(int fd, void *bytes, size_t capacity, int *descriptors, int *count);
