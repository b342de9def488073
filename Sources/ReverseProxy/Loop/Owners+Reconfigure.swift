internal import Backends
internal import Reactor
internal import Settings

/// Applies a changed configuration while requests are active.
///
/// Active requests continue under the routes that they began with.
extension Owners {
    func reconfigure(_ change: Reconfiguration) {
        plan.replace(change.settings, groups: change.groups, routes: routes(of: change.settings))
        counters.grow(groups: change.groups.count)
        upstreams.pools.grow(groups: change.groups.count)
        buffers.reconfigure(change.settings)
        exchanges.log.reconfigure(
            format: change.settings.accessLog.format, groupNames: change.settings.groupNames)
        // The connections' caches refer to codecs by their old indices.
        for entry in downstreams.takenEntries() {
            downstreams[entry].affinity.knownCodec = -1
            downstreams[entry].affinity.mintedCodec = -1
        }
    }

    /// The routes of the settings, followed by those that active requests began with.
    private func routes(of settings: ProxySettings) -> RoutePlans {
        var fresh = RoutePlans(settings)
        var moved: [Int32: Int] = [:]
        for exchange in exchanges.takenEntries() where exchanges[exchange].route >= 0 {
            let old = exchanges[exchange].route
            let entry = moved[old] ?? fresh.keep(Int(old), of: plan.routes)
            moved[old] = entry
            let isSecure = Int(exchanges[exchange].codec) != plan.routes.plans[Int(old)].codec
            exchanges[exchange].route = Int32(truncatingIfNeeded: entry)
            exchanges[exchange].codec = Int32(
                truncatingIfNeeded: fresh.plans[entry].codec + (isSecure ? 1 : 0))
        }
        return fresh
    }
}
