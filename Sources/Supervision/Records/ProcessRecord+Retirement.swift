internal import Backends
internal import Settings

/// The lines of a record that its process is kept by when the configuration has no such group any more.
extension ProcessRecord {
    static func lines(of retirement: RetirementPolicy) -> [String] {
        [
            "processes \(retirement.minimum) \(retirement.maximum)",
            "threads \(retirement.threads)", "places \(retirement.sessionsPerProcess)",
            "idle \(retirement.sessionIdle.nanoseconds)",
            "unconfirmed_idle \(retirement.unconfirmed.nanoseconds)",
            "drain_timeout \(retirement.drainTimeout.nanoseconds)",
            "stop_timeout \(retirement.stopTimeout.nanoseconds)",
        ]
    }
}

extension ProcessRecord.Fields {
    /// All of them, or none in a record of long ago.
    mutating func retirement() throws(ProcessRecord.Flaw) -> RetirementPolicy? {
        guard has("drain_timeout") else { return nil }
        var policy = GroupPolicy(name: "")
        (policy.minimum, policy.maximum) = try bounds("processes")
        policy.threads = try count("threads", from: 1)
        policy.sessionsPerProcess = try count("places", from: 0)
        policy.sessionIdle = try interval("idle", from: 1_000_000)
        policy.unconfirmed = try interval("unconfirmed_idle", from: 1_000_000)
        policy.drainTimeout = try interval("drain_timeout", from: 0)
        policy.stopTimeout = try interval("stop_timeout", from: 0)
        return RetirementPolicy(policy)
    }

    private mutating func bounds(_ key: String) throws(ProcessRecord.Flaw) -> (Int, Int) {
        let numbers = try text(key, longest: 40).split(separator: " ").map { Int($0) }
        guard numbers.count == 2, let least = numbers[0], let most = numbers[1], least >= 0,
            most >= max(least, 1), most <= RetirementPolicy.mostCounted
        else { throw bad(key) }
        return (least, most)
    }

    private mutating func count(
        _ key: String, from least: Int
    ) throws(ProcessRecord.Flaw) -> Int {
        let number: Int = try number(key)
        guard (least...RetirementPolicy.mostCounted).contains(number) else { throw bad(key) }
        return number
    }

    private mutating func interval(
        _ key: String, from least: Int64
    ) throws(ProcessRecord.Flaw) -> Interval {
        let nanoseconds: Int64 = try number(key)
        guard (least...RetirementPolicy.longestInterval.nanoseconds).contains(nanoseconds) else {
            throw bad(key)
        }
        return Interval(nanoseconds: nanoseconds)
    }
}
