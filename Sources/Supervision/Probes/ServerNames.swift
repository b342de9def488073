internal import Backends
internal import Reactor

/// The names of external servers, and when each is looked up again.
struct ServerNames {
    /// A name of a group.
    struct Watch {
        let group: Int
        let place: ProcessAddress
        let name: String
        /// Nil: it is being looked up.
        var nextAt: Int64?
        /// The last attempt failed, and was logged.
        var isFailing = false
    }

    private(set) var service = NameService()
    /// Nil: there are no names, or none can be looked up.
    private(set) var resolver: NameResolver?
    var watches: [Watch] = []

    var nextDeadline: Int64? {
        [watches.compactMap(\.nextAt).min(), resolver?.nextDeadline].compactMap(\.self).min()
    }

    /// The names to look up from now on; those that are known keep their times.
    mutating func set(_ wanted: [(group: Int, place: ProcessAddress)], now: Int64) {
        watches.removeAll { watch in
            !wanted.contains { $0.group == watch.group && $0.place == watch.place }
        }
        for (group, place) in wanted
        where !watches.contains(where: { $0.group == group && $0.place == place }) {
            guard let name = place.name else { continue }
            watches.append(Watch(group: group, place: place, name: name, nextAt: now))
        }
    }

    /// Asks other name servers from now on; names that are being looked up are so again.
    mutating func set(_ service: NameService, now: Int64) {
        guard service != self.service else { return }
        self.service = service
        end()
        for index in watches.indices { watches[index].nextAt = now }
    }

    /// Asks for the names that are due.
    mutating func ask(now: Int64) throws(NameResolverError) {
        let due = watches.indices.filter { watches[$0].nextAt.map { $0 <= now } ?? false }
        if due.isEmpty { return }
        // If they cannot be asked.
        for index in due { watches[index].nextAt = now + service.maxTTL.nanoseconds }
        let resolver: NameResolver
        if let known = self.resolver {
            resolver = known
        } else {
            resolver = try NameResolver(servers: service.servers)
            self.resolver = resolver
        }
        // Several groups may have the same name.
        for name in Set(due.map { watches[$0].name }) { resolver.ask(name) }
        for index in due { watches[index].nextAt = nil }
    }

    /// Gives up what is under way; repeated calls are harmless.
    mutating func end() {
        resolver?.close()
        resolver = nil
    }
}
