/// The memory that the connections of one thread use to buffer for slow peers, on either side.
package final class HTTP2Memory {
    /// Bytes.
    package internal(set) var bytes = 0

    /// Starts at zero.
    package init() {}
}
