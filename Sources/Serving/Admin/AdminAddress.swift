internal import Backends
internal import Glibc
internal import Reactor
internal import ReverseProxy
internal import Settings

/// Whether the admin API can listen where it is to, before anything is taken over for it.
enum AdminAddress {
    /// - Parameter predecessor: where the running balancer has its own; that is free by then.
    /// - Throws: `ServingError`, which says what to change.
    static func check(
        _ address: ProcessAddress, takenFrom predecessor: ListenerAddress?
    ) throws {
        if predecessor == .address(address) { return }
        switch address {
        case .tcp(let host, let port):
            do {
                try ListeningSocket(.tcp(host, port)).close()
            } catch {
                throw ServingError.failed(
                    "cannot listen on \(ListenerSettings(.address(address)).text) (admin):"
                        + " \(error); set [admin] address to a free one")
            }
        case .unix(let path):
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            guard unsafe access(folder.isEmpty ? "/" : folder, W_OK | X_OK) == 0 else {
                throw ServingError.failed(
                    "cannot write into \(folder) (admin socket): \(SystemError.message(errno))")
            }
        }
    }
}
