internal import Backends
internal import ConfigFile
internal import Glibc
internal import Reactor
internal import Supervision

/// Checks of the listen addresses and the admin address.
extension Preflight {
    mutating func checkAddresses() {
        for listener in configuration.listeners {
            checkStrictTransport(listener)
            guard case .address(let address) = listener.address else { continue }
            if let found = finding(address) {
                warn(listener.addressLocation.problem("listen.address", found))
            } else if case .unix(let path) = address {
                checkSocket(path, listener.addressLocation)
            }
        }
        guard !isKnown(["admin"], ["address"]) else { return }
        if let found = finding(configuration.admin.address) {
            warn(["admin", "address"], found)
        }
        if case .unix(let path) = configuration.admin.address,
            !path.hasPrefix("\(configuration.runtimeDirectory)/"),
            !path.hasPrefix("\(configuration.stateDirectory)/")
        {
            checkParent(of: path, ["admin", "address"])
        }
    }

    /// The field has no effect over clear text (RFC 6797 section 7.2), so Mooring leaves it out.
    private mutating func checkStrictTransport(_ listener: Configuration.Listener) {
        let name = "strict-transport-security"
        guard listener.certificates.isEmpty, listener.trustedProxies.isEmpty,
            listener.headers.contains(where: { $0.name.lowercased() == name })
        else { return }
        warn(
            listener.addressLocation.problem(
                "listen.headers",
                "Strict-Transport-Security is sent over https alone, and this listener has neither TLS"
                    + " nor trusted_proxies"))
    }

    /// Why a TCP address cannot be served now; nil: it can, or it is not a TCP address.
    ///
    /// A warning, since the address may be free again when the balancer starts.
    private func finding(_ address: ProcessAddress) -> String? {
        guard case .tcp(let host, let port) = address, port != 0,
            let place = try? SocketAddress.tcp(host, port)
        else { return nil }
        switch place.bindingFailure() {
        case nil: return nil
        case EADDRINUSE:
            let listeners = ListenerDiagnosis.listeners(at: port) ?? []
            if isOwn(listeners) { return nil }
            return "\(place.text) is in use now\(Self.holder(listeners))"
        case EADDRNOTAVAIL: return "\(place.text) is no address of this machine now"
        case EACCES:
            return "\(place.text) needs root or CAP_NET_BIND_SERVICE, since the port is below 1024"
        case let code?: return "\(place.text) cannot be listened on: \(SystemError.message(code))"
        }
    }

    /// Whether the balancer that runs with this configuration listens there: the usual case before a
    /// reload.
    private func isOwn(_ listeners: [ListenerDiagnosis.Found]) -> Bool {
        guard let pid = RuntimeLock.holder(of: configuration.runtimeDirectory) else { return false }
        return listeners.contains { OpenSockets.isHeld($0.inode, by: pid) }
    }

    private static func holder(_ listeners: [ListenerDiagnosis.Found]) -> String {
        guard let user = listeners.first?.user else { return "" }
        return ", by a program of the user with the id \(user)"
    }

    /// Checks the unix socket of a listener.
    private mutating func checkSocket(_ path: String, _ place: FileLocation) {
        var status = stat()
        if unsafe lstat(path, &status) == 0 {
            if status.st_mode & S_IFMT != S_IFSOCK {
                report(
                    place.problem(
                        "listen.address",
                        "\(path) is there and no socket; remove it, or choose another"))
            }
            return
        }
        let inOwnFolder = [configuration.runtimeDirectory, configuration.stateDirectory]
            .contains { path.hasPrefix("\($0)/") }
        if inOwnFolder { return }
        if let fault = Self.faultOfParent(of: path) {
            report(place.problem("listen.address", fault))
        }
    }
}
