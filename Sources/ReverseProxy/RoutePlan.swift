internal import HTTPWire
internal import Reactor
internal import Routing
internal import SessionAffinity
internal import Settings

/// The route settings that the request path needs: plain data, so that a look-up counts no
/// references.
struct RoutePlan {
    /// -1: it leads to files, see `RoutePlans.folders`.
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
    private(set) var codec: Int
    /// Responses get additional fields.
    let hasFields: Bool
    /// A file may be sent in a coding that the client accepts.
    let compresses: Bool

    var isFiles: Bool { group < 0 }

    init(_ route: RouteSettings, of group: ProxyGroupSettings?, codec: Int, issuesIDs: Bool) {
        self.group = route.group
        stripsPrefix = !route.strippedPrefix.isEmpty
        pin = route.affinity.pin
        carrier = CarrierKind(route.affinity)
        self.issuesIDs = issuesIDs
        maxAge = route.affinity.maxAgeSeconds
        forwardCookie = route.affinity.forwardCookie
        takesASCIIOnly = group?.takesASCIIOnly ?? false
        isFastCGI = group?.fastCGI != nil
        hasHostHeader = !(group?.hostHeader.isEmpty ?? true)
        hasHealthPath = !(group?.healthPath.isEmpty ?? true)
        timeouts = route.timeouts
        self.codec = codec
        hasFields = !route.headers.isEmpty
        compresses = route.files?.compress ?? false
    }

    /// The same with the codec at another index.
    init(_ plan: RoutePlan, codec: Int) {
        self = plan
        self.codec = codec
    }
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
    /// For each plan the folder of its files; nil: it leads to a group.
    private(set) var folders: [ServedFolder?]
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
                route, of: settings.group(of: route), codec: indices[index],
                issuesIDs: settings.routeSettings.contains {
                    $0.group == route.group && CarrierKind($0.affinity) == .id
                })
        }
        healthPaths = settings.routeSettings.map { route in
            Array((settings.group(of: route)?.healthPath ?? "").utf8)
        }
        hosts = settings.routeSettings.map { route in
            Array((settings.group(of: route)?.hostHeader ?? "").utf8)
        }
        folders = settings.routeSettings.map(\.files?.folder)
        learn = settings.routeSettings.map(\.affinity.learn)
        headers = settings.routeSettings.map(\.headers)
        pages = settings.routeSettings.map(\.pages)
        mounts = settings.routeSettings.map { ForwardedPrefix.escaped($0.strippedPrefix) }
        ownCookies = OwnCookies(
            names: settings.routeSettings.filter { $0.group >= 0 }.map(\.affinity.cookie.name))
    }

    /// Adds a plan of the replaced routes, for an exchange that began under it.
    ///
    /// - Returns: its index here.
    mutating func keep(_ entry: Int, of old: RoutePlans) -> Int {
        let plan = old.plans[entry]
        let codec = codecs.count
        if !plan.isFiles { codecs += old.codecs[plan.codec...plan.codec + 1] }
        plans.append(RoutePlan(plan, codec: plan.isFiles ? 0 : codec))
        folders.append(old.folders[entry])
        learn.append(old.learn[entry])
        healthPaths.append(old.healthPaths[entry])
        hosts.append(old.hosts[entry])
        headers.append(old.headers[entry])
        pages.append(old.pages[entry])
        mounts.append(old.mounts[entry])
        return plans.count - 1
    }
}
