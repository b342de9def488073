#define _GNU_SOURCE
#include "CLinuxNotify.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// As many descriptors as one datagram can carry (SCM_MAX_FD in unix(7)).
enum { MOST_DESCRIPTORS = 253 };

static int bind_to(int fd, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) return -errno;
    // What an interrupted start left.
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -errno;
    return chmod(path, 0666) < 0 ? -errno : 0;
}

int mooring_notify_listen(const char *temporary, const char *path) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int failed = bind_to(fd, temporary);
    if (failed == 0 && rename(temporary, path) < 0) failed = -errno;
    if (failed == 0) return fd;
    unlink(temporary);
    close(fd);
    return failed;
}

long mooring_notify_receive(int fd, void *buffer, size_t capacity, struct mooring_sender *sender) {
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec room = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &room,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) return -errno;
    sender->pid = 0;
    sender->user = (uid_t)-1;
    sender->is_cut = (message.msg_flags & MSG_TRUNC) != 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        size_t length = part->cmsg_len - CMSG_LEN(0);
        if (part->cmsg_type == SCM_CREDENTIALS && length >= sizeof(struct ucred)) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
            sender->pid = credentials.pid;
            sender->user = credentials.uid;
        } else if (part->cmsg_type == SCM_RIGHTS) {
            for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(part) + at, sizeof descriptor);
                close(descriptor);
            }
        }
    }
    return got;
}
