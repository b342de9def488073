/// What the connections of one thread hold in memory for somebody slow, on either side.
package final class HTTP2Memory {
    /// Bytes.
    package internal(set) var bytes = 0

    /// Nothing is held.
    package init() {}
}
