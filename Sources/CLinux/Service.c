#define _GNU_SOURCE
#include "CLinuxService.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_address(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t count = strlen(path);
    if (count == 0 || count >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, count);
    if (path[0] == '@') address->sun_path[0] = 0;
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + (path[0] != '@'));
    return 0;
}

int mooring_notify(const char *path, const char *message, size_t length) {
    struct sockaddr_un address;
    socklen_t size;
    int failed = unix_address(path, &address, &size);
    if (failed) return failed;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = sendto(fd, message, length, MSG_NOSIGNAL | MSG_DONTWAIT,
                          (struct sockaddr *)&address, size);
    int result = sent < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int limit_waiting(int fd, int timeout_ms) {
    struct timeval time = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) < 0) {
        return -errno;
    }
    return 0;
}

int mooring_control_listen(const char *path) {
    struct sockaddr_un address;
    socklen_t size;
    int failed = unix_address(path, &address, &size);
    if (failed) return failed;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    unlink(path);
    // Set the mode before the bind, so that no client can connect in between with a wider one.
    fchmod(fd, 0600);
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4) < 0) {
        failed = -errno;
        close(fd);
        return failed;
    }
    return fd;
}

int mooring_control_accept(int listener, int timeout_ms) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return -errno;
    int failed = limit_waiting(fd, timeout_ms);
    if (failed) {
        close(fd);
        return failed;
    }
    return fd;
}

int mooring_control_connect(const char *path, int timeout_ms) {
    struct sockaddr_un address;
    socklen_t size;
    int failed = unix_address(path, &address, &size);
    if (failed) return failed;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    failed = limit_waiting(fd, timeout_ms);
    if (!failed && connect(fd, (struct sockaddr *)&address, size) < 0) failed = -errno;
    if (failed) {
        close(fd);
        return failed;
    }
    return fd;
}

union control_space {
    char bytes[CMSG_SPACE(sizeof(int) * MOORING_MOST_DESCRIPTORS)];
    struct cmsghdr alignment;
};

int mooring_send_with(int fd, const void *bytes, size_t length, const int *descriptors, int count) {
    if (length == 0 || count < 0 || count > MOORING_MOST_DESCRIPTORS) return -EINVAL;
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    union control_space control;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

long mooring_receive_with(int fd, void *bytes, size_t capacity, int *descriptors, int *count) {
    struct iovec piece = {.iov_base = bytes, .iov_len = capacity};
    union control_space control;
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int room = *count;
    *count = 0;
    ssize_t got;
    do {
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return -errno;
    bool isWhole = !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t payload = header->cmsg_len - CMSG_LEN(0);
        for (size_t at = 0; at + sizeof(int) <= payload; at += sizeof(int)) {
            int received;
            memcpy(&received, CMSG_DATA(header) + at, sizeof received);
            if (*count < room) {
                descriptors[(*count)++] = received;
            } else {
                close(received);
            }
        }
    }
    return isWhole ? got : -EMSGSIZE;
}
