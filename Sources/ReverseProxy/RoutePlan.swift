/// What the request path needs of a route: plain data, so that looking it up counts no references.
struct RoutePlan {
    let group: Int
    let stripsPrefix: Bool
    let pin: AffinitySettings.Pin
    let maxAge: UInt32
    let forwardCookie: Bool
    /// The place of its codec in a loop's `codecs`.
    let codec: Int

    /// The plans of all routes, in their order.
    static func make(for settings: ProxySettings) -> [RoutePlan] {
        let codecs = AffinityCodec.indices(for: settings)
        return settings.routeSettings.enumerated().map { index, route in
            RoutePlan(
                group: route.group, stripsPrefix: route.stripsPrefix, pin: route.affinity.pin,
                maxAge: route.affinity.maxAgeSeconds, forwardCookie: route.affinity.forwardCookie,
                codec: codecs[index])
        }
    }
}
