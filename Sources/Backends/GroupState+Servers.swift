/// The servers of an external group: which there are, and how they come and go.
///
/// A reload, or the name service, may add and remove some. One that is no longer wanted keeps its
/// sessions while it answers them.
extension GroupState {
    /// The servers exist from the start.
    mutating func enterExternal() {
        for server in wantedServers { _ = enter(server) }
    }

    /// The servers that the configuration asks for: every known address of a name is one.
    private var wantedServers: [ServerEndpoint] {
        guard case .external(let servers) = policy.kind else { return [] }
        return servers.flatMap { server in
            guard server.address.name != nil else { return [server] }
            return (names[server.address]?.addresses ?? []).map(server.at)
        }
    }

    /// The configured servers whose addresses have to be looked up.
    var namedServers: [ProcessAddress] {
        guard case .external(let servers) = policy.kind, !isRetired, !isShuttingDown else {
            return []
        }
        return servers.map(\.address).filter { $0.name != nil }
    }

    /// The names that have no address yet.
    var unresolvedNames: [ProcessAddress] {
        namedServers.filter { names[$0]?.addresses.isEmpty ?? true }
    }

    /// Some name has not been looked up for the first time: requests wait for that.
    var awaitsNames: Bool {
        !isSpawned && namedServers.contains { names[$0] == nil }
    }

    /// The addresses of a name; those that are gone keep their sessions while they answer.
    mutating func resolved(_ place: ProcessAddress, to addresses: [String]) {
        let isFirst = names[place]?.addresses.isEmpty ?? true
        names[place] = ResolvedName(addresses: addresses)
        updateServers(startsSlowly: !isFirst)
        due.formUnion(.group)
    }

    /// A name could not be looked up: what is known of it holds.
    mutating func unresolved(_ place: ProcessAddress) {
        if names[place] == nil { names[place] = ResolvedName(addresses: []) }
        due.formUnion(.group)
    }

    private mutating func enter(_ server: ServerEndpoint) -> UInt32 {
        let entry = occupy(.ready)
        let index = Int(entry)
        var incarnation = server.stableIncarnation
        // Another may be at this address by now, whose sessions are not those of the one before.
        while entriesByIncarnation[incarnation] != nil || spent.contains(incarnation) {
            incarnation.value = Generator.mix(incarnation.value &+ 1)
        }
        processes[index].incarnation = incarnation
        processes[index].address = server.address
        processes[index].label = server.label
        processes[index].readyAt = now
        entriesByIncarnation[incarnation] = entry
        describe(entry, as: server)
        return entry
    }

    private mutating func describe(_ entry: UInt32, as server: ServerEndpoint) {
        endpoints[entry] = server
        processes[Int(entry)].weight = min(max(server.weight, 1), 256)
        processes[Int(entry)].threads = min(max(server.threads ?? policy.threads, 1), 1_000_000)
        touch(entry)
    }

    /// The configuration, or the addresses of a name, have changed.
    mutating func updateServers(startsSlowly: Bool = true) {
        var entries = wantedServers.map { server in entry(of: server) }
        for index in processes.indices
        where !processes[index].phase.isGone && !entries.contains(UInt32(index)) {
            depart(UInt32(index))
        }
        for (position, server) in wantedServers.enumerated() {
            if let entry = entries[position] {
                describe(entry, as: server)
                returnIfLeaving(entry)
            } else {
                let entry = enter(server)
                entries[position] = entry
                if startsSlowly { beginSlowStart(of: entry) }
                orders.events.append(.joined(handle(entry)))
                takeOutIfKnown(entry)
            }
        }
    }

    /// The entry of a server that is known already; nil: it is another at the same address, or of
    /// the same name.
    private func entry(of server: ServerEndpoint) -> UInt32? {
        endpoints.first { _, known in
            known.label == server.label && known.address == server.address
                && (known.tls == nil) == (server.tls == nil)
        }?.key
    }

    /// It is wanted no more: it keeps its sessions, while it answers them.
    private mutating func depart(_ entry: UInt32) {
        let index = Int(entry)
        // Another server of this name is the same one, at another address.
        let label = processes[index].label
        if wantedServers.contains(where: { $0.label == label }) {
            return remove(entry, hasSuccessor: true)
        }
        switch processes[index].phase {
        case .ready, .draining:
            if processes[index].isUnused(at: now) { return remove(entry) }
            beServing(entry)
            takeOut(entry, .removed)
        case .down: remove(entry)
        case .starting, .stopping, .gone: break
        }
    }

    /// It is wanted again before its last session has left.
    private mutating func returnIfLeaving(_ entry: UInt32) {
        guard case .draining(.removed) = processes[Int(entry)].phase else { return }
        beServing(entry)
        orders.events.append(.reinstated(handle(entry)))
        if processes[Int(entry)].server.isOut { takeOut(entry, .drained) }
    }

    /// Ends a server that is wanted no more.
    mutating func remove(_ entry: UInt32, hasSuccessor: Bool = false) {
        let sessions = processes[Int(entry)].sessions
        processes[Int(entry)].sessions = 0
        processes[Int(entry)].unconfirmed = 0
        // They are counted when they come.
        if sessions > 0, !hasSuccessor {
            orders.events.append(.sessionsLost(handle(entry), count: sessions))
        }
        if let incarnation = processes[Int(entry)].incarnation, endpoints[entry]?.name == nil {
            // Bounded: the tokens of long ago have ended.
            if spent.count >= 10_000 { spent.removeAll() }
            spent.insert(incarnation)
        }
        _ = apply(.removed, to: entry)
        orders.events.append(.gone(handle(entry), .removed, nil))
        endpoints[entry] = nil
        vacate(entry)
    }

    /// Takes a server that drains back into service.
    mutating func beServing(_ entry: UInt32) {
        if processes[Int(entry)].standing != .serving { move(entry, to: .serving) }
        processes[Int(entry)].drainUntil = nil
        guard case .draining = processes[Int(entry)].phase else { return }
        _ = apply(.reinstate, to: entry)
        prepare(entry)
    }
}

/// What is known of a name.
struct ResolvedName: Equatable, Sendable {
    /// Numeric; empty: it could not be looked up so far.
    var addresses: [String]
}

extension ServerEndpoint {
    /// The same in every run, so that pins to external servers survive the balancer (FNV-1a).
    var stableIncarnation: Incarnation {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in identity.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return Incarnation(Generator.mix(hash))
    }

    private var identity: String {
        if named != nil { return "name \(label)" }
        if let name { return "name \(name)" }
        // Its name in tokens from before both loopback addresses were tried.
        if case .tcp(ProcessAddress.localhost, let port) = address { return "127.0.0.1:\(port)" }
        return address.text
    }
}
