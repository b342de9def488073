internal import CLinux

/// One epoll instance with its wake-up descriptor; one loop belongs to one thread.
///
/// Descriptors are registered under a 64-bit token of the owner's choice, which comes back with each
/// event; the owner decides what a token means (a slab index and its serial, as a rule), so that an
/// event costs no look-up and no reference counting here. Registration is edge-triggered: read or
/// write until `EAGAIN` (or a short read) before waiting for the next event. See epoll(7).
@safe package final class EventLoop {
    /// The token that `turn` reserves for the wake-up.
    package static let wakeToken = UInt64.max

    private let epoll: Int32
    private let batch: UnsafeMutablePointer<mooring_event>
    private static let batchCapacity = 256
    /// Wakes this loop from any thread.
    package let waker: Waker
    /// CLOCK_MONOTONIC in nanoseconds, read once a turn.
    package private(set) var now: Int64

    /// - Throws: `SystemError` when the descriptors cannot be created.
    package init() throws(SystemError) {
        epoll = try SystemError.check(mooring_epoll_create(), "epoll_create1")
        waker = Waker(descriptor: try SystemError.check(mooring_eventfd(), "eventfd"))
        unsafe batch = .allocate(capacity: Self.batchCapacity)
        unsafe batch.initialize(repeating: mooring_event(), count: Self.batchCapacity)
        now = mooring_monotonic_ns()
        _ = mooring_epoll_add(
            epoll, waker.descriptor, UInt32(MOORING_IN), Self.wakeToken)
    }

    deinit {
        mooring_close(epoll)
        mooring_close(waker.descriptor)
        unsafe batch.deallocate()
    }

    /// Registers a descriptor for reading and hang-up, and optionally for writing.
    package func add(
        _ descriptor: Int32, token: UInt64, writable: Bool = false
    ) throws(SystemError) {
        let interest: Readiness = writable ? [Self.reading, .writable] : Self.reading
        _ = try SystemError.check(
            mooring_epoll_add(epoll, descriptor, interest.rawValue, token), "epoll_ctl")
    }

    /// Adds or drops the interest in writing; current readiness is reported again.
    package func setWritable(_ writable: Bool, _ descriptor: Int32, token: UInt64) {
        let interest: Readiness = writable ? [Self.reading, .writable] : Self.reading
        _ = mooring_epoll_modify(epoll, descriptor, interest.rawValue, token)
    }

    /// Stops the events of a descriptor that stays open; closing a descriptor stops them anyway.
    package func remove(_ descriptor: Int32) { _ = mooring_epoll_remove(epoll, descriptor) }

    /// Waits for events and reports each; one call is one turn, in which `now` is fresh.
    ///
    /// Returns at `deadline` (monotonic ns; nil: never) at the latest. A wake-up is reported as
    /// `wakeToken`.
    ///
    /// - Parameter first: called for each event before any is passed to `onEvent`, if there are
    ///   several.
    package func turn(
        until deadline: Int64?, first: (UInt64, Readiness) -> Void = { _, _ in },
        _ onEvent: (UInt64, Readiness) -> Void
    ) {
        let timeout = deadline.map { max($0 &- mooring_monotonic_ns(), 0) } ?? -1
        let count = unsafe mooring_epoll_wait(epoll, batch, Int32(Self.batchCapacity), timeout)
        now = mooring_monotonic_ns()
        guard count > 0 else { return }
        if count > 1 {
            for index in 0..<Int(count) {
                let event = unsafe batch[index]
                first(event.data, Readiness(rawValue: event.events))
            }
        }
        for index in 0..<Int(count) {
            let event = unsafe batch[index]
            if event.data == Self.wakeToken { waker.clear() }
            onEvent(event.data, Readiness(rawValue: event.events))
        }
    }

    private static let reading: Readiness = [
        .readable, Readiness(rawValue: UInt32(MOORING_RDHUP)), .edgeTriggered,
    ]
}

/// Wakes one loop from any thread, for the cost of one system call.
package struct Waker: Sendable {
    let descriptor: Int32

    /// Makes the loop's turn end, now or at its next wait.
    package func wake() { mooring_eventfd_wake(descriptor) }
    func clear() { mooring_eventfd_clear(descriptor) }
}
