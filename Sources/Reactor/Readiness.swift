internal import CLinux

/// The events that epoll reports for a descriptor.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: UInt32(MOORING_IN))
    package static let writable = Readiness(rawValue: UInt32(MOORING_OUT))
    /// The peer has finished sending; its reading side may still be open.
    package static let peerClosed = Readiness(rawValue: UInt32(MOORING_RDHUP))
    /// Both directions are closed: a reset, or a unix socket whose peer is gone.
    package static let hungUp = Readiness(rawValue: UInt32(MOORING_HUP))
    package static let failed = Readiness(rawValue: UInt32(MOORING_ERR))

    // Plain bit tests: an event must not cost an array literal.
    package var isReadable: Bool { rawValue & UInt32(MOORING_IN) != 0 }
    package var isWritable: Bool { rawValue & UInt32(MOORING_OUT) != 0 }
    package var isPeerClosed: Bool { rawValue & UInt32(MOORING_RDHUP) != 0 }
    /// A reset, an error, or both directions closed: no more bytes can be exchanged.
    package var isBroken: Bool { rawValue & UInt32(MOORING_HUP | MOORING_ERR) != 0 }

    static let edgeTriggered = Readiness(rawValue: 1 << 31)
}
