internal import CLinux

/// Polls whether any socket listens on an address, at a tenth of the cost of a connection attempt.
///
/// It queries the kernel over a netlink socket (sock_diag(7)), which is opened on first use and
/// belongs to one thread.
package final class ListenerQuestion {
    private var descriptor: Int32?

    package init() {}

    deinit { if let descriptor, descriptor >= 0 { mooring_close(descriptor) } }

    /// Nil: the kernel cannot be queried, or it is not a TCP address.
    ///
    /// A listener bound to a network interface is not found.
    package func hasListener(at address: SocketAddress) -> Bool? {
        let descriptor = self.descriptor ?? mooring_diagnosis_open()
        self.descriptor = descriptor
        if descriptor < 0 {
            // Out of descriptors or memory, which may be temporary.
            if SystemError.isScarcity(-descriptor) { self.descriptor = nil }
            return nil
        }
        var native = address.native
        let answer = unsafe mooring_diagnosis_listens(descriptor, &native)
        return answer < 0 ? nil : answer > 0
    }
}
