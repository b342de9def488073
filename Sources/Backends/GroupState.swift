package struct GroupState: Sendable {}
