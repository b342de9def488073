internal import CLinux

/// What epoll reports of a descriptor.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: UInt32(MOORING_IN))
    package static let writable = Readiness(rawValue: UInt32(MOORING_OUT))
    /// The peer has shut down its writing side, or the whole connection.
    package static let peerClosed = Readiness(
        rawValue: UInt32(MOORING_RDHUP) | UInt32(MOORING_HUP))
    package static let failed = Readiness(rawValue: UInt32(MOORING_ERR))

    static let edgeTriggered = Readiness(rawValue: 1 << 31)
}
