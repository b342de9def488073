/// External servers: their names, and commands for them.
extension Group {
    /// The configured servers whose addresses have to be looked up.
    package var namedServers: [ProcessAddress] { look { $0.namedServers } }

    /// The addresses of a name; the servers at those that are gone keep their sessions while they
    /// answer.
    package func resolved(
        _ place: ProcessAddress, to addresses: [String], now: MonotonicInstant
    ) {
        change(at: now) { $0.resolved(place, to: addresses) }
    }

    /// A name could not be looked up.
    package func unresolved(_ place: ProcessAddress, now: MonotonicInstant) {
        change(at: now) { $0.unresolved(place) }
    }

    /// The address of a server as configured, by which its TLS settings are known; nil: it is gone.
    package func place(of server: ProcessHandle) -> ProcessAddress? {
        look { group in
            group.find(server).flatMap { group.endpoints[$0]?.place }
        }
    }

    /// Puts a server back into service that was drained or stopped, or is down.
    package func bringBack(_ server: ProcessHandle, now: MonotonicInstant) {
        change(at: now) { $0.bringBack(server) }
    }

    /// Takes out the servers that an administrator had taken out under an earlier balancer.
    package func takeOutAgain(_ servers: [OutOfService], now: MonotonicInstant) {
        change(at: now) { $0.takeOutAgain(servers) }
    }
}
