/// The random id of one user's visit, as carried inside the cookie (12 bytes).
package struct SessionID: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt32

    package init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// `==` for the request path, where the conformance's own is called through a table.
    @inline(__always)
    package func isSame(as other: SessionID) -> Bool { high == other.high && low == other.low }

    /// Half of what is random anyway is enough to find it by.
    package func hash(into hasher: inout Hasher) { hasher.combine(high) }

    /// Ids are random, and Mooring alone makes them: nobody can choose some that collide.
    package func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: high) ^ seed }
}

/// The random id drawn when a process was spawned (8 bytes, inside the cookie).
///
/// It names an incarnation and not an address: a re-used port, socket or pid cannot revive a pin.
package struct Incarnation: Hashable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }
}

/// A process in its group's table; `serial` tells a later process in the same entry apart.
package struct ProcessHandle: Hashable, Sendable {
    package var index: UInt32
    package var serial: UInt32

    package init(index: UInt32, serial: UInt32) {
        self.index = index
        self.serial = serial
    }
}

/// Names a waiting request to whoever queued it; opaque to the registry.
package struct WaiterTag: Hashable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }
}

/// A place in a queue, to leave it by; stale tickets are recognised and harmless.
package struct WaiterTicket: Hashable, Sendable {
    package var index: UInt32
    package var serial: UInt32

    package init(index: UInt32, serial: UInt32) {
        self.index = index
        self.serial = serial
    }
}
