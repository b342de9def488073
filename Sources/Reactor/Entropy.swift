internal import CLinux

/// Random bytes from the kernel, fetched 4 KiB at a time so that most ids need no system call.
///
/// A value type for one thread. getrandom(2) cannot fail for such sizes once the system has booted;
/// if it does, the program exits rather than issue ids that can be guessed.
package struct Entropy {
    private var pool = [UInt64](repeating: 0, count: 512)
    private var next = 512

    package init() {}

    /// The next eight random bytes.
    package mutating func word() -> UInt64 {
        if next == pool.count {
            refill()
            next = 0
        }
        defer {
            pool[next] = 0
            next += 1
        }
        return pool[next]
    }

    private mutating func refill() {
        let filled = unsafe pool.withUnsafeMutableBytes { bytes in
            unsafe mooring_random(bytes.baseAddress, bytes.count)
        }
        precondition(filled == 0, "getrandom failed")
    }
}
