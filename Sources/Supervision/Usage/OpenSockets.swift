/// Which program has a socket, for those who find an address taken.
package enum OpenSockets {
    /// Whether a process has the socket with an inode open; false also where that cannot be seen.
    package static func isHeld(_ inode: UInt64, by pid: Int32) -> Bool {
        ProcessTree.has(socket: inode, pid: pid) == true
    }
}
