internal import HTTPWire
internal import Routing
internal import SessionAffinity
internal import Settings

/// The route settings that the request path needs: plain data, so that a look-up counts no
/// references.
struct RoutePlan {
    let group: Int
    let stripsPrefix: Bool
    let pin: Pin
    let carrier: CarrierKind
    /// Its group's processes may issue ids by which sessions are known, in a `Location`.
    let issuesIDs: Bool
    let maxAge: UInt32
    let forwardCookie: Bool
    let takesASCIIOnly: Bool
    /// Its group's processes are spoken to in FastCGI.
    let isFastCGI: Bool
    /// Its group's processes get another `Host`: see `RoutePlans.hosts`.
    let hasHostHeader: Bool
    /// Its group has a health check path: see `RoutePlans.healthPaths`.
    let hasHealthPath: Bool
    let timeouts: RouteTimeouts
    /// The index of its clear-text codec in a loop's `codecs`; the one for TLS follows it.
    let codec: Int
    /// Responses get additional fields.
    let hasFields: Bool
}

/// One loop's routes with everything that belongs to them, replaced as a whole by a reload.
struct RoutePlans {
    private(set) var table: RouteTable
    /// In the order of the routes; followed by those that older exchanges still use.
    private(set) var plans: [RoutePlan]
    var codecs: [AffinityCodec]
    /// The cookies of all routes, which only Mooring may set.
    let ownCookies: OwnCookies
    /// For each plan the application cookies that start a session when set.
    private(set) var learn: [[String]]
    /// For each plan the path of its group's health checks, without a query; empty: none.
    private(set) var healthPaths: [[UInt8]]
    /// For each plan the `Host` that processes get; empty: the client's.
    private(set) var hosts: [[UInt8]]
    /// For each plan the fields added to responses.
    private(set) var headers: [ExtraFields]
    /// For each plan its own pages, by status.
    private(set) var pages: [[UInt16: [UInt8]]]
    /// For each plan the removed prefix, escaped.
    private(set) var mounts: [[UInt8]]

    init(_ settings: ProxySettings) {
        table = settings.routes
        let indices = AffinityCodec.indices(for: settings)
        codecs = AffinityCodec.make(for: settings)
        plans = settings.routeSettings.enumerated().map { index, route in
            RoutePlan(
                group: route.group, stripsPrefix: !route.strippedPrefix.isEmpty,
                pin: route.affinity.pin, carrier: CarrierKind(route.affinity),
                issuesIDs: settings.routeSettings.contains {
                    $0.group == route.group && CarrierKind($0.affinity) == .id
                },
                maxAge: route.affinity.maxAgeSeconds, forwardCookie: route.affinity.forwardCookie,
                takesASCIIOnly: settings.groups[route.group].takesASCIIOnly,
                isFastCGI: settings.groups[route.group].fastCGI != nil,
                hasHostHeader: !settings.groups[route.group].hostHeader.isEmpty,
                hasHealthPath: !settings.groups[route.group].healthPath.isEmpty,
                timeouts: route.timeouts, codec: indices[index],
                hasFields: !route.headers.isEmpty)
        }
        healthPaths = settings.routeSettings.map {
            Array(settings.groups[$0.group].healthPath.utf8)
        }
        hosts = settings.routeSettings.map { Array(settings.groups[$0.group].hostHeader.utf8) }
        learn = settings.routeSettings.map(\.affinity.learn)
        headers = settings.routeSettings.map(\.headers)
        pages = settings.routeSettings.map(\.pages)
        mounts = settings.routeSettings.map { ForwardedPrefix.escaped($0.strippedPrefix) }
        ownCookies = OwnCookies(names: settings.routeSettings.map(\.affinity.cookie.name))
    }

    /// Adds a plan of the replaced routes, for an exchange that began under it.
    ///
    /// - Returns: its index here.
    mutating func keep(_ entry: Int, of old: RoutePlans) -> Int {
        let plan = old.plans[entry]
        let codec = codecs.count
        codecs += old.codecs[plan.codec...plan.codec + 1]
        plans.append(
            RoutePlan(
                group: plan.group, stripsPrefix: plan.stripsPrefix, pin: plan.pin,
                carrier: plan.carrier, issuesIDs: plan.issuesIDs, maxAge: plan.maxAge,
                forwardCookie: plan.forwardCookie,
                takesASCIIOnly: plan.takesASCIIOnly, isFastCGI: plan.isFastCGI,
                hasHostHeader: plan.hasHostHeader, hasHealthPath: plan.hasHealthPath,
                timeouts: plan.timeouts, codec: codec,
                hasFields: plan.hasFields))
        learn.append(old.learn[entry])
        healthPaths.append(old.healthPaths[entry])
        hosts.append(old.hosts[entry])
        headers.append(old.headers[entry])
        pages.append(old.pages[entry])
        mounts.append(old.mounts[entry])
        return plans.count - 1
    }
}
