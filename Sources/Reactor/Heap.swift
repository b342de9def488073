internal import CLinux
internal import Synchronization

/// The memory of malloc(3).
package enum Heap {
    private static let isTrimming = Atomic<Bool>(false)

    /// Returns free memory to the system on a separate thread; does nothing while one is running.
    package static func trim() {
        if isTrimming.exchange(true, ordering: .acquiringAndReleasing) { return }
        do {
            try LoopThread.start(name: "trim") {
                mooring_trim_heap()
                isTrimming.store(false, ordering: .releasing)
            }
        } catch {
            // No thread now; the next call may get one.
            isTrimming.store(false, ordering: .releasing)
        }
    }
}
