#define _GNU_SOURCE
#include "CLinuxSockets.h"
#include "CLinuxFiles.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>

int mooring_address_unix(struct mooring_address *address, const char *path) {
    struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
    size_t length = strlen(path);
    address->length = 0;
    if (length == 0 || length >= sizeof un->sun_path) return -ENAMETOOLONG;
    memset(&address->storage, 0, sizeof address->storage);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, length + 1);
    address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    return 0;
}

int mooring_address_tcp(struct mooring_address *address, const char *host, uint16_t port) {
    struct sockaddr_in *four = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address->storage;
    address->length = 0;
    memset(&address->storage, 0, sizeof address->storage);
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        address->length = sizeof *four;
        return 0;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        address->length = sizeof *six;
        return 0;
    }
    return -EINVAL;
}

int mooring_address_host(const struct mooring_address *address, char *text, int capacity) {
    const struct sockaddr_storage *any = &address->storage;
    text[0] = 0;
    if (any->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)any)->sin_addr, text, capacity);
    } else if (any->ss_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)any)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six)) {
            inet_ntop(AF_INET, &six->s6_addr[12], text, capacity);
        } else {
            inet_ntop(AF_INET6, six, text, capacity);
        }
    } else if (any->ss_family == AF_UNIX && address->length > offsetof(struct sockaddr_un, sun_path)) {
        snprintf(text, capacity, "%s", ((const struct sockaddr_un *)any)->sun_path);
    }
    return (int)strlen(text);
}

int mooring_address_port(const struct mooring_address *address) {
    const struct sockaddr_storage *any = &address->storage;
    if (any->ss_family == AF_INET) return ntohs(((const struct sockaddr_in *)any)->sin_port);
    if (any->ss_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)any)->sin6_port);
    return 0;
}

bool mooring_address_ip(const struct mooring_address *address, uint64_t *high, uint64_t *low) {
    const struct sockaddr_storage *any = &address->storage;
    if (any->ss_family == AF_INET) {
        *high = 0;
        *low = 0xffffull << 32 | ntohl(((const struct sockaddr_in *)any)->sin_addr.s_addr);
        return true;
    }
    if (any->ss_family != AF_INET6) return false;
    const uint8_t *bytes = ((const struct sockaddr_in6 *)any)->sin6_addr.s6_addr;
    *high = *low = 0;
    for (int i = 0; i < 8; i++) {
        *high = *high << 8 | bytes[i];
        *low = *low << 8 | bytes[i + 8];
    }
    return true;
}

bool mooring_address_is_unix(const struct mooring_address *address) {
    return address->storage.ss_family == AF_UNIX;
}

bool mooring_address_is_loopback(const struct mooring_address *address) {
    const struct sockaddr_storage *any = &address->storage;
    if (any->ss_family == AF_UNIX) return true;
    if (any->ss_family == AF_INET) {
        return (ntohl(((const struct sockaddr_in *)any)->sin_addr.s_addr) >> 24) == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)any)->sin6_addr);
}

static int stream_socket(const struct mooring_address *address) {
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static void no_delay(int fd, const struct mooring_address *address) {
    int one = 1;
    if (address->storage.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
}

// Only a socket without a listener is removed, and nothing that is not a socket.
static int remove_stale_unix_socket(const struct mooring_address *address) {
    const char *path = ((const struct sockaddr_un *)&address->storage)->sun_path;
    struct stat status;
    if (lstat(path, &status) < 0) return 0;
    if (!S_ISSOCK(status.st_mode)) return -EADDRINUSE;
    bool pending;
    int probe = mooring_connect(address, &pending);
    if (probe >= 0) {
        close(probe);
        return -EADDRINUSE;
    }
    if (probe != -ECONNREFUSED) return -EADDRINUSE;
    return unlink(path) < 0 ? -errno : 0;
}

// Against the umask. By its descriptor: the path may lead to another file by now.
static void set_mode(const char *path, mode_t mode) {
    int fd = mooring_open_guarded(path, O_PATH, 0);
    struct stat status;
    char name[32];
    if (fd < 0) return;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode)) chmod(name, mode);
    close(fd);
}

int mooring_listen(const struct mooring_address *address, int backlog, int unix_mode) {
    bool is_unix = mooring_address_is_unix(address);
    if (is_unix) {
        int stale = remove_stale_unix_socket(address);
        if (stale < 0) return stale;
    }
    int fd = stream_socket(address);
    if (fd < 0) return fd;
    int one = 1;
    if (!is_unix) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    // Set the mode before the bind, so that no client can connect in between with a wider one.
    if (is_unix) fchmod(fd, (mode_t)unix_mode);
    if (bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0 ||
        listen(fd, backlog) < 0) {
        int failed = -errno;
        close(fd);
        return failed;
    }
    if (is_unix) set_mode(((const struct sockaddr_un *)&address->storage)->sun_path, (mode_t)unix_mode);
    return fd;
}

int mooring_try_bind(const struct mooring_address *address) {
    int fd = stream_socket(address);
    if (fd < 0) return fd;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int failed = bind(fd, (const struct sockaddr *)&address->storage, address->length);
    int result = failed < 0 ? -errno : 0;
    close(fd);
    return result;
}

int mooring_inherit_listener(int fd) {
    int listening = 0, type = 0;
    socklen_t length = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0) return -errno;
    length = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0) return -errno;
    if (!listening || type != SOCK_STREAM) return -EINVAL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

int mooring_local_address(int fd, struct mooring_address *address) {
    address->length = sizeof address->storage;
    int failed = getsockname(fd, (struct sockaddr *)&address->storage, &address->length);
    return failed < 0 ? -errno : 0;
}

int mooring_wait_in_accept(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

int mooring_peer_address(int fd, struct mooring_address *address) {
    address->length = sizeof address->storage;
    int failed = getpeername(fd, (struct sockaddr *)&address->storage, &address->length);
    return failed < 0 ? -errno : 0;
}

int mooring_accept(int listener, struct mooring_address *peer) {
    peer->length = sizeof peer->storage;
    int fd = accept4(listener, (struct sockaddr *)&peer->storage, &peer->length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return -errno;
    no_delay(fd, peer);
    return fd;
}

int mooring_connect(const struct mooring_address *address, bool *pending) {
    *pending = false;
    int fd = stream_socket(address);
    if (fd < 0) return fd;
    no_delay(fd, address);
    if (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0) return fd;
    if (errno == EINPROGRESS) {
        *pending = true;
        return fd;
    }
    // EAGAIN on a unix socket: the backlog is full.
    int failed = -errno;
    close(fd);
    return failed;
}

// A connection to a port of the ephemeral range without a listener may be given that very port as
// its own and connect to itself (simultaneous open, RFC 9293 section 3.5).
static bool is_connected_to_itself(int fd) {
    struct mooring_address own, peer;
    own.length = peer.length = sizeof own.storage;
    if (getsockname(fd, (struct sockaddr *)&own.storage, &own.length) < 0 ||
        getpeername(fd, (struct sockaddr *)&peer.storage, &peer.length) < 0) {
        return false;
    }
    return own.storage.ss_family != AF_UNIX && own.length == peer.length &&
           memcmp(&own.storage, &peer.storage, own.length) == 0;
}

int mooring_connect_result(int fd) {
    int failed = 0;
    socklen_t length = sizeof failed;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &length) < 0) return -errno;
    if (failed) return -failed;
    return is_connected_to_itself(fd) ? -ECONNREFUSED : 0;
}

void mooring_discard(int fd, long count) {
    char buffer[4096];
    while (count > 0) {
        size_t wanted = count < (long)sizeof buffer ? (size_t)count : sizeof buffer;
        ssize_t got = recv(fd, buffer, wanted, 0);
        if (got <= 0) return;
        count -= got;
    }
}

void mooring_abort_on_close(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

int mooring_peer_user(int fd, uint32_t *user) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    // What a socket without a peer has; a pid of 0 is one of another namespace.
    if (peer.uid == (uid_t)-1) return -ENOTCONN;
    *user = peer.uid;
    return 0;
}

pid_t mooring_peer_process(int fd) {
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ? -errno : peer.pid;
}

long mooring_unsent(int fd) {
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) < 0 ? -errno : count;
}
