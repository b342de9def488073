/// The random id of a session, as carried in the cookie (12 bytes).
package struct SessionID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt32

    package init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// `==` for the request path; the conformance's own goes through a witness table.
    @inline(__always)
    package func isSame(as other: SessionID) -> Bool { high == other.high && low == other.low }

    /// The ids are random, so half of one suffices as the hash.
    package func hash(into hasher: inout Hasher) { hasher.combine(high) }

    /// Ids are random and only Mooring creates them, so an attacker cannot choose colliding ones.
    package func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: high) ^ seed }
}

/// A random id drawn when a process is spawned (8 bytes, inside the cookie).
///
/// It names an incarnation, not an address: a reused port, socket or pid cannot revive a pin.
package struct Incarnation: Hashable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }
}

/// A process in its group's table; `serial` distinguishes later processes in the same entry.
package struct ProcessHandle: Hashable, Sendable {
    package var index: UInt32
    package var serial: UInt32

    package init(index: UInt32, serial: UInt32) {
        self.index = index
        self.serial = serial
    }
}

/// Identifies a waiting request to its owner; opaque to the registry.
package struct WaiterTag: Hashable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }
}

/// A position in a queue, used to leave it; stale tickets are detected and harmless.
package struct WaiterTicket: Hashable, Sendable {
    package var index: UInt32
    package var serial: UInt32

    package init(index: UInt32, serial: UInt32) {
        self.index = index
        self.serial = serial
    }
}
