internal import CLinux

/// Asks again and again whether anything takes connections to an address, at a tenth of what an attempt
/// to connect costs.
///
/// It asks the kernel over a netlink socket (sock_diag(7)) that is opened when it is first needed, and
/// belongs to one thread.
package final class ListenerQuestion {
    private var descriptor: Int32?

    package init() {}

    deinit { if let descriptor, descriptor >= 0 { mooring_close(descriptor) } }

    /// Nil: the kernel cannot be asked, or it is no TCP address.
    ///
    /// A listener that is bound to one network interface is not seen.
    package func hasListener(at address: SocketAddress) -> Bool? {
        let descriptor = self.descriptor ?? mooring_diagnosis_open()
        self.descriptor = descriptor
        if descriptor < 0 {
            // For want of descriptors or memory, which may come right.
            if SystemError.isScarcity(-descriptor) { self.descriptor = nil }
            return nil
        }
        var native = address.native
        let answer = unsafe mooring_diagnosis_listens(descriptor, &native)
        return answer < 0 ? nil : answer > 0
    }
}
