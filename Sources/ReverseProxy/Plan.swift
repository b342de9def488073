internal import Backends

/// What a loop serves by: the configuration, in the forms that the request path needs.
///
/// Belongs to the loop's thread. A reload replaces it as a whole; its parts are read in place.
final class Plan {
    private(set) var settings: ProxySettings
    /// Only ever longer: a group's index is its own for good.
    private(set) var groups: [Group]
    /// Its codecs hold the cookie field that was made last.
    var routes: RoutePlans
    /// By the listener's index.
    private var listeners: [ListenerPlan]

    init(_ settings: ProxySettings, groups: [Group]) {
        self.settings = settings
        self.groups = groups
        routes = RoutePlans(settings)
        listeners = settings.listeners.map(ListenerPlan.init)
    }

    /// - Parameter routes: made of the settings, with those that requests under way began with.
    func replace(_ settings: ProxySettings, groups: [Group], routes: RoutePlans) {
        self.settings = settings
        self.groups = groups
        self.routes = routes
        listeners = settings.listeners.map(ListenerPlan.init)
    }

    /// What a listener does, by its index; what none does where it was taken away.
    @inline(__always)
    func listenerPlan(_ index: Int32) -> ListenerPlan {
        Int(index) < listeners.count ? listeners[Int(index)] : ListenerPlan(nil)
    }

    /// A listener's settings, by its index; nil: it was taken away.
    func listener(_ index: Int32) -> ListenerSettings? {
        Int(index) < settings.listeners.count ? settings.listeners[Int(index)] : nil
    }
}
