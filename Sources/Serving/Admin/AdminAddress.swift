internal import Backends
internal import Glibc
internal import Reactor
internal import ReverseProxy
internal import Settings

/// Checks that the admin API can listen on its address, before anything is taken over for it.
enum AdminAddress {
    /// - Parameter predecessor: the running balancer's admin address, which it will release.
    /// - Throws: `ServingError` with the remedy.
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
