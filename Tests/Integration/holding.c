// A program that blocks every reader of its memory's files in /proc, as any user can: one of its
// threads holds its memory map for reading while it waits for a file system of its own (in the folder
// that its argument names), and the other waits to change the map, so that no one else gets it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char *mapped;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void put(const char *path, const char *text) {
    int file = open(path, O_WRONLY);
    if (file < 0 || write(file, text, strlen(text)) < 0) fail(path);
    close(file);
}

static void answer(int device, uint64_t request, int error, const void *body, size_t length) {
    char out[512];
    struct fuse_out_header head = {.len = sizeof head + length, .error = error, .unique = request};
    memcpy(out, &head, sizeof head);
    if (length) memcpy(out + sizeof head, body, length);
    if (write(device, out, head.len) < 0) perror("answer");
}

static struct fuse_attr attributes(int is_root) {
    struct fuse_attr attr = {.ino = is_root ? 1 : 2, .nlink = 1, .blksize = 4096};
    attr.mode = is_root ? S_IFDIR | 0755 : S_IFREG | 0644;
    attr.size = is_root ? 0 : 1 << 20;
    return attr;
}

// A file system with one file, whose reads are never answered.
static void serve(int device) {
    static char in[1 << 18];
    for (;;) {
        ssize_t got = read(device, in, sizeof in);
        if (got < 0 && (errno == EINTR || errno == ENOENT)) continue;
        if (got < 0) _exit(0);
        struct fuse_in_header *head = (void *)in;
        switch (head->opcode) {
        case FUSE_INIT: {
            struct fuse_init_out out = {.major = 7, .minor = 31, .max_write = 4096};
            answer(device, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_LOOKUP: {
            struct fuse_entry_out out = {.nodeid = 2, .attr_valid = 1000, .entry_valid = 1000};
            out.attr = attributes(0);
            answer(device, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_GETATTR: {
            struct fuse_attr_out out = {.attr_valid = 1000};
            out.attr = attributes(head->nodeid == 1);
            answer(device, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_OPEN: {
            struct fuse_open_out out = {0};
            answer(device, head->unique, 0, &out, sizeof out);
            break;
        }
        case FUSE_READ:
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
        case FUSE_INTERRUPT: break;
        default: answer(device, head->unique, -ENOSYS, NULL, 0);
        }
    }
}

static void *hold(void *unused) {
    char byte;
    int memory = open("/proc/self/mem", O_RDONLY);
    if (memory < 0 || pread(memory, &byte, 1, (off_t)(uintptr_t)mapped) < 0) perror("mem");
    return unused;
}

int main(int count, char **arguments) {
    char text[128], path[512];
    unsigned user = getuid(), group = getgid();
    if (count != 2) return 2;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) fail("unshare");
    put("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", user);
    put("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "0 %u 1", group);
    put("/proc/self/gid_map", text);
    int device = open("/dev/fuse", O_RDWR);
    if (device < 0) fail("/dev/fuse");
    snprintf(text, sizeof text, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
    if (mount("holding", arguments[1], "fuse", MS_NOSUID | MS_NODEV, text) < 0) fail("mount");
    if (fork() == 0) serve(device);
    // The server's alone: with its end all that waits for the file system ends.
    close(device);
    snprintf(path, sizeof path, "%s/file", arguments[1]);
    int file = open(path, O_RDONLY);
    if (file < 0) fail(path);
    mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) fail("mmap");
    pthread_t holder;
    pthread_create(&holder, NULL, hold, NULL);
    usleep(200000);
    if (write(2, "holding\n", 8) < 0) return 1;
    // Waits for the holder, and has everybody else wait behind it.
    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (;;) pause();
}
