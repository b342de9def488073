#define _GNU_SOURCE
#include "CLinuxDiagnosis.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int mooring_diagnosis_open(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    // Connected to the kernel, so that no other process's message can be taken for an answer.
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (connect(fd, (struct sockaddr *)&kernel, sizeof kernel) == 0) return fd;
    int failed = -errno;
    close(fd);
    return failed;
}

static bool fill(__be32 host[4], __be16 *port, const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        host[0] = v4->sin_addr.s_addr;
        *port = v4->sin_port;
        return true;
    }
    if (address->ss_family != AF_INET6) return false;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    memcpy(host, &v6->sin6_addr, sizeof v6->sin6_addr);
    *port = v6->sin6_port;
    return true;
}

// Sends one question; 0 or -errno.
static int send_request(int fd, struct inet_diag_req_v2 request, uint16_t flags, uint32_t sequence) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {
            .nlmsg_len = sizeof question,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
            .nlmsg_seq = sequence,
        },
        .request = request,
    };
    return send(fd, &question, sizeof question, MSG_DONTWAIT) < 0 ? -errno : 0;
}

// The error of an NLMSG_ERROR of the given length, as -errno.
static int read_error(const struct nlmsghdr *header, size_t length) {
    struct nlmsgerr error;
    if (length < NLMSG_LENGTH(sizeof error)) return -EPROTO;
    memcpy(&error, NLMSG_DATA(header), sizeof error);
    return error.error < 0 ? error.error : -EPROTO;
}

// The user of the one socket that the kernel would give a segment with these addresses to.
static int ask(int fd, struct inet_diag_req_v2 request, uint32_t *user) {
    static _Thread_local uint32_t sequence;
    int failed = send_request(fd, request, 0, ++sequence);
    if (failed < 0) return failed;
    // The kernel has answered before send returns. What an interrupted turn left is passed over.
    for (;;) {
        union {
            struct nlmsghdr header;
            char bytes[2048];
        } answer;
        ssize_t count = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
        if (count < 0) return -errno;
        if ((size_t)count < sizeof answer.header) return -EPROTO;
        if (answer.header.nlmsg_seq != sequence) continue;
        if (answer.header.nlmsg_type == NLMSG_ERROR) {
            return read_error(&answer.header, (size_t)count);
        }
        struct inet_diag_msg message;
        if ((size_t)count < NLMSG_LENGTH(sizeof message)) return -EPROTO;
        memcpy(&message, NLMSG_DATA(&answer.header), sizeof message);
        *user = message.idiag_uid;
        return 0;
    }
}

int mooring_diagnosis_peer_user(int fd, int connection, uint32_t *user) {
    struct sockaddr_storage own, peer;
    socklen_t length = sizeof own;
    if (getsockname(connection, (struct sockaddr *)&own, &length) < 0) return -errno;
    length = sizeof peer;
    if (getpeername(connection, (struct sockaddr *)&peer, &length) < 0) return -errno;
    struct inet_diag_req_v2 request = {
        .sdiag_family = (uint8_t)peer.ss_family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = ~0U,
        .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
    };
    // From the other end's point of view.
    if (!fill(request.id.idiag_src, &request.id.idiag_sport, &peer)) return -EAFNOSUPPORT;
    if (!fill(request.id.idiag_dst, &request.id.idiag_dport, &own)) return -EAFNOSUPPORT;
    int failed = ask(fd, request, user);
    if (failed == 0 && *user != 0) return 0;
    // Kernels before 6.17 or so report root as the owner of a connection that was not accepted yet;
    // there the listener's user is the answer.
    memset(request.id.idiag_dst, 0, sizeof request.id.idiag_dst);
    request.id.idiag_dport = 0;
    uint32_t listening;
    int missing = ask(fd, request, &listening);
    if (missing == 0) *user = listening;
    return missing == 0 || failed == 0 ? 0 : failed;
}

int mooring_diagnosis_listens(int fd, const struct mooring_address *address) {
    struct inet_diag_req_v2 request = {
        .sdiag_family = (uint8_t)address->storage.ss_family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = ~0U,
        .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE},
    };
    if (!fill(request.id.idiag_src, &request.id.idiag_sport, &address->storage)) {
        return -EAFNOSUPPORT;
    }
    uint32_t user;
    int failed = ask(fd, request, &user);
    return failed == -ENOENT ? 0 : failed < 0 ? failed : 1;
}

// Parses one message of a dump; false: it does not describe a listener.
static bool read_listener(const struct nlmsghdr *header, struct mooring_listener *listener) {
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) return false;
    struct inet_diag_msg message;
    memcpy(&message, NLMSG_DATA(header), sizeof message);
    memcpy(listener->host, message.id.idiag_src, sizeof listener->host);
    listener->port = ntohs(message.id.idiag_sport);
    listener->user = message.idiag_uid;
    listener->inode = message.idiag_inode;
    return true;
}

int mooring_diagnosis_listeners(
    int fd, int family, uint16_t port, struct mooring_listener *listeners, int capacity) {
    struct inet_diag_req_v2 request = {
        .sdiag_family = (uint8_t)family,
        .sdiag_protocol = IPPROTO_TCP,
        .idiag_states = 1U << 10, // TCP_LISTEN
        .id.idiag_sport = htons(port),
    };
    int failed = send_request(fd, request, NLM_F_DUMP, 1);
    if (failed < 0) return failed;
    int found = 0;
    for (;;) {
        // Each call returns the next part of the dump.
        _Alignas(struct nlmsghdr) char answer[16384];
        ssize_t count = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        int left = (int)count;
        for (const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
             NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type == NLMSG_DONE) return found;
            if (header->nlmsg_type == NLMSG_ERROR) {
                return read_error(header, header->nlmsg_len);
            }
            struct mooring_listener listener;
            if (!read_listener(header, &listener)) return -EPROTO;
            if (found < capacity) listeners[found] = listener;
            found++;
        }
        if (count == 0) return -EPROTO;
    }
}
