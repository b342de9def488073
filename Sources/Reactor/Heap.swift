internal import CLinux
internal import Synchronization

/// The memory of malloc(3).
package enum Heap {
    private static let isTrimming = Atomic<Bool>(false)

    /// Gives the system what is free, on a thread of its own; nothing is done while one is at it.
    package static func trim() {
        if isTrimming.exchange(true, ordering: .acquiringAndReleasing) { return }
        do {
            try LoopThread.start(name: "trim") {
                mooring_trim_heap()
                isTrimming.store(false, ordering: .releasing)
            }
        } catch {
            // No thread now; the next time that much has become free there may be one.
            isTrimming.store(false, ordering: .releasing)
        }
    }
}
