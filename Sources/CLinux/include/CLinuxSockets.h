// Non-blocking stream sockets over unix and TCP. Results are a value or -errno.
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A resolved numeric address; `length` 0 means that it could not be understood.
struct mooring_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

// `path` shorter than sockaddr_un's 108 bytes; -ENAMETOOLONG otherwise.
int mooring_address_unix(struct mooring_address *address, const char *path);
// A numeric IPv4 or IPv6 host (no brackets); -EINVAL for anything else.
int mooring_address_tcp(struct mooring_address *address, const char *host, uint16_t port);
// Host or path without port, NUL-terminated, for logs and X-Forwarded-For; the length written.
int mooring_address_host(const struct mooring_address *address, char *text, int capacity);
int mooring_address_port(const struct mooring_address *address);
// The address as two big-endian halves, IPv4 in its mapped form; false for a unix socket.
bool mooring_address_ip(const struct mooring_address *address, uint64_t *high, uint64_t *low);
bool mooring_address_is_unix(const struct mooring_address *address);
bool mooring_address_is_loopback(const struct mooring_address *address);

// A bound and listening socket, non-blocking, close-on-exec. A stale unix socket without a listener
// is replaced; a live one is -EADDRINUSE.
int mooring_listen(const struct mooring_address *address, int backlog, int unix_mode);
// Whether a TCP listener could be bound there now: 0 or -errno. Nothing listens meanwhile.
int mooring_try_bind(const struct mooring_address *address);
// Makes an inherited descriptor non-blocking and close-on-exec; -EINVAL unless it listens for streams.
int mooring_inherit_listener(int fd);
int mooring_local_address(int fd, struct mooring_address *address);
// The opposite of O_NONBLOCK, for all who share the socket.
int mooring_wait_in_accept(int fd);
int mooring_peer_address(int fd, struct mooring_address *address);
// TCP_NODELAY set; -EAGAIN when none waits.
int mooring_accept(int listener, struct mooring_address *peer);
// Starts a connection; *pending tells that it is not yet established.
int mooring_connect(const struct mooring_address *address, bool *pending);
// The result of a pending connection: 0 or -errno; one that met itself was refused.
int mooring_connect_result(int fd);

// The user at the other end of a connected unix socket: 0 or -errno.
int mooring_peer_user(int fd, uint32_t *user);
// The pid of the program at the other end of a unix connection; 0 when it is not to be seen from here,
// -errno.
pid_t mooring_peer_process(int fd);

static inline long mooring_receive(int fd, void *buffer, size_t count) {
    ssize_t got = recv(fd, buffer, count, 0);
    return got < 0 ? -errno : got;
}
static inline long mooring_peek(int fd, void *buffer, size_t count) {
    ssize_t got = recv(fd, buffer, count, MSG_PEEK);
    return got < 0 ? -errno : got;
}
// Whether nothing has come on the socket, not even its end.
static inline bool mooring_is_silent(int fd) {
    char octet;
    return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EINTR);
}
// Throws away `count` bytes that have been peeked at.
void mooring_discard(int fd, long count);
static inline long mooring_send(int fd, const void *buffer, size_t count) {
    ssize_t sent = send(fd, buffer, count, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}
// The same for bytes that others follow at once: the kernel waits for those, to fill a segment.
static inline long mooring_send_more(int fd, const void *buffer, size_t count) {
    ssize_t sent = send(fd, buffer, count, MSG_NOSIGNAL | MSG_MORE);
    return sent < 0 ? -errno : sent;
}
// Bytes that the peer has not taken yet: unacknowledged ones over TCP; or -errno.
long mooring_unsent(int fd);
static inline int mooring_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }
static inline void mooring_close(int fd) { close(fd); }
// The next close sends RST: the peer cannot take what it got for a whole message.
void mooring_abort_on_close(int fd);
