internal import Backends

/// The configuration in the forms that the request path needs.
///
/// Belongs to the loop's thread. A reload replaces it as a whole; its parts are read in place.
final class Plan {
    private(set) var settings: ProxySettings
    /// It only grows: a group's index never changes.
    private(set) var groups: [Group]
    /// Its codecs hold the cookie field written last.
    var routes: RoutePlans
    /// By the group's index; nil: it speaks HTTP.
    private(set) var fastCGI: [FastCGIPlan?]
    /// By the listener's index.
    private var listeners: [ListenerPlan]

    init(_ settings: ProxySettings, groups: [Group]) {
        self.settings = settings
        self.groups = groups
        routes = RoutePlans(settings)
        fastCGI = settings.groups.map { $0.fastCGI.map(FastCGIPlan.init) }
        listeners = settings.listeners.map(ListenerPlan.init)
    }

    /// - Parameter routes: built from the settings, including those that active requests began
    ///   with.
    func replace(_ settings: ProxySettings, groups: [Group], routes: RoutePlans) {
        self.settings = settings
        self.groups = groups
        self.routes = routes
        fastCGI = settings.groups.map { $0.fastCGI.map(FastCGIPlan.init) }
        listeners = settings.listeners.map(ListenerPlan.init)
    }

    /// A listener's plan, by its index; a plan without settings if it was removed.
    @inline(__always)
    func listenerPlan(_ index: Int32) -> ListenerPlan {
        Int(index) < listeners.count ? listeners[Int(index)] : ListenerPlan(nil)
    }

    /// A listener's settings, by its index; nil: it was removed.
    func listener(_ index: Int32) -> ListenerSettings? {
        Int(index) < settings.listeners.count ? settings.listeners[Int(index)] : nil
    }
}
