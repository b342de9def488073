internal import Backends
internal import Reactor

/// Taking over a changed configuration while requests are under way.
///
/// Requests that have begun go on under the routes that they began with.
extension Worker {
    func reconfigure(_ change: Reconfiguration) {
        groups = change.groups
        counters.grow(groups: groups.count)
        upstreams.reconfigure(change.settings, groups: groups)
        downstreams.settings = change.settings
        settings = change.settings
        log.reconfigure(format: settings.accessLog.format, groupNames: settings.groupNames)
        listenerPlans = settings.listeners.map(ListenerPlan.init)
        replaceRoutes()
        buffers.reconfigure(settings)
        if index == 0 { acceptor.replace(with: change.listeners, isDraining: drain.isDraining) }
    }

    private func replaceRoutes() {
        var fresh = RoutePlans(settings)
        var moved: [Int32: Int] = [:]
        for exchange in exchanges.takenPlaces() where exchanges[exchange].route >= 0 {
            let old = exchanges[exchange].route
            let place = moved[old] ?? fresh.keep(Int(old), of: routes)
            moved[old] = place
            let isSecure = Int(exchanges[exchange].codec) != routes.plans[Int(old)].codec
            exchanges[exchange].route = Int32(truncatingIfNeeded: place)
            exchanges[exchange].codec = Int32(
                truncatingIfNeeded: fresh.plans[place].codec + (isSecure ? 1 : 0))
        }
        routes = fresh
        // What connections remember names codecs by their old places.
        for place in downstreams.takenPlaces() {
            downstreams[place].affinity.knownCodec = -1
            downstreams[place].affinity.mintedCodec = -1
        }
    }
}
