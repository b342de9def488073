// Holds the place of HTTP/2's types until their files are here; they replace this one.

/// Holds a place.
package struct HTTP2Settings {
    package var maxHeaderListSize = 0
    package init() {}
}
/// Holds a place.
package enum HTTP2Progress { case ok, closed(Int) }
/// Holds a place.
package enum HTTP2Event { case opened(Int32), readable(Int32), writable(Int32), reset(Int32) }
/// Holds a place.
package enum HTTP2Read { case moved(Int), wouldBlock, end, reset }
/// Holds a place.
package final class HTTP2Connection {
    package init(_ settings: HTTP2Settings) {}
    package static func beginsWithPreface(_ bytes: Span<UInt8>) -> Bool { false }
    package func receive(_ bytes: Span<UInt8>, now: Int64) -> HTTP2Progress { .ok }
    package func send(into: UnsafeMutableRawBufferPointer) -> Int { 0 }
    package var wantsSend: Bool { false }
    package var isFinished: Bool { true }
    package func nextEvent() -> HTTP2Event? { nil }
    package func read(_ stream: Int32, into: UnsafeMutableRawBufferPointer) -> HTTP2Read { .end }
    package func write(_ stream: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { 0 }
    package func finish(_ stream: Int32) {}
    package func reset(_ stream: Int32) {}
    package func forget(_ stream: Int32) {}
    package func goAway() {}
}
