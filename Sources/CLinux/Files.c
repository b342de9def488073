#define _GNU_SOURCE
#include "CLinuxFiles.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 };

// How far a walk has come: each step is relative to a directory that is open, so that nothing can be
// exchanged behind it.
struct walk {
    int directory;
    bool trusted;
    int links;
    char rest[PATH_MAX];
};

static bool is_ours(const struct stat *status) {
    return status->st_uid == 0 || status->st_uid == geteuid();
}

// Whether only this user and root can change our entries; in a sticky directory other users cannot
// rename or remove them.
static bool is_guarded(const struct stat *status) {
    mode_t others = status->st_mode & (status->st_gid == 0 ? S_IWOTH : S_IWGRP | S_IWOTH);
    return is_ours(status) && (others == 0 || (status->st_mode & S_ISVTX));
}

static int begin(struct walk *walk, const char *path) {
    size_t length = strlen(path);
    if (length == 0) return -ENOENT;
    if (length >= sizeof walk->rest) return -ENAMETOOLONG;
    memcpy(walk->rest, path, length + 1);
    walk->links = 0;
    walk->trusted = true;
    walk->directory = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return walk->directory < 0 ? -errno : 0;
}

// Takes the first component off; an empty one is left when the path is used up.
static int next(struct walk *walk, char component[NAME_MAX + 1]) {
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    if (length > NAME_MAX) return -ENAMETOOLONG;
    memcpy(component, start, length);
    component[length] = 0;
    start += length;
    memmove(walk->rest, start, strlen(start) + 1);
    return 0;
}

static bool is_last(const struct walk *walk) {
    return walk->rest[strspn(walk->rest, "/")] == 0;
}

static int look_at_directory(struct walk *walk) {
    struct stat status;
    if (fstat(walk->directory, &status) < 0) return -errno;
    if (!is_guarded(&status)) walk->trusted = false;
    return 0;
}

// Puts where a link leads before what is left of the path.
static int follow(struct walk *walk, int link) {
    char target[PATH_MAX];
    if (++walk->links > MOST_LINKS) return -ELOOP;
    ssize_t length = readlinkat(link, "", target, sizeof target - 1);
    if (length < 0) return -errno;
    size_t rest = strlen(walk->rest);
    if ((size_t)length + 1 + rest >= sizeof walk->rest) return -ENAMETOOLONG;
    memmove(walk->rest + length + 1, walk->rest, rest + 1);
    memcpy(walk->rest, target, (size_t)length);
    walk->rest[length] = '/';
    if (target[0] != '/') return 0;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return -errno;
    close(walk->directory);
    walk->directory = root;
    return 0;
}

// Goes into a directory, or where a link that counts leads.
static int enter(struct walk *walk, const char *component) {
    int entry = openat(walk->directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (entry < 0) return -errno;
    struct stat status;
    int failed = fstat(entry, &status) < 0 ? -errno : 0;
    if (failed == 0 && S_ISLNK(status.st_mode)) {
        failed = walk->trusted && is_ours(&status) ? follow(walk, entry) : -ELOOP;
        close(entry);
        return failed;
    }
    if (failed == 0 && !S_ISDIR(status.st_mode)) failed = -ENOTDIR;
    if (failed) {
        close(entry);
        return failed;
    }
    close(walk->directory);
    walk->directory = entry;
    return 0;
}

static int open_last(const struct walk *walk, const char *component, int flags, mode_t mode) {
    int fd = openat(walk->directory, component, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return -errno;
    struct stat status;
    if (!walk->trusted && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink > 1) {
        close(fd);
        return -EMLINK;
    }
    return fd;
}

int mooring_open_guarded(const char *path, int flags, mode_t mode) {
    if (geteuid() != 0) {
        int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
        return fd < 0 ? -errno : fd;
    }
    struct walk walk;
    int result = begin(&walk, path);
    if (result < 0) return result;
    char component[NAME_MAX + 1];
    do {
        result = look_at_directory(&walk);
        if (result == 0) result = next(&walk, component);
        if (result < 0) break;
        if (is_last(&walk)) {
            result = open_last(&walk, component[0] ? component : ".", flags, mode);
            break;
        }
        result = enter(&walk, component);
    } while (result == 0);
    close(walk.directory);
    return result;
}

int mooring_check_path(const char *path, long *owner) {
    struct walk walk;
    *owner = -1;
    int result = begin(&walk, path);
    if (result < 0) return result;
    char component[NAME_MAX + 1];
    while (true) {
        struct stat status;
        result = fstat(walk.directory, &status) < 0 ? -errno : 0;
        if (result == 0 && !is_guarded(&status)) {
            if (!is_ours(&status)) *owner = (long)status.st_uid;
            result = -EPERM;
        }
        if (result == 0) result = next(&walk, component);
        if (result < 0 || !component[0]) break;
        result = enter(&walk, component);
        if (result < 0) break;
    }
    close(walk.directory);
    return result == -ENOENT ? 0 : result;
}

int mooring_inotify_open(void) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int mooring_inotify_once(int fd, const char *directory) {
    const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_ONESHOT | IN_ONLYDIR | IN_DONT_FOLLOW;
    return inotify_add_watch(fd, directory, events) < 0 ? -errno : 0;
}

void mooring_inotify_drain(int fd) {
    char events[4096];
    while (read(fd, events, sizeof events) > 0) {}
}
