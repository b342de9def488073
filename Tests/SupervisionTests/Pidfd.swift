internal import CLinux
internal import Glibc

/// Waits for the end of a process that need not be our child.
struct Pidfd: ~Copyable {
    private let descriptor: Int32

    init(of pid: Int32) { descriptor = mooring_pidfd_open(pid) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Whether it ended in time; one that was gone already has.
    func waitForEnd(milliseconds: Int32) -> Bool {
        if descriptor < 0 { return true }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) == 1
    }
}
