// Work that a device can repeat as one launch. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A recorded piece of work.
public protocol RecordedWork: AnyObject {
    /// Does it again with what its inputs hold now.
    func replay()
}

/// Records pieces of work that are replayed on one device, one after the other.
public protocol WorkRecorder: AnyObject {
    /// Records what `body` gives to the device, without running it.
    ///
    /// The same work must have run once before. Tensors from outside are constants, but for those that
    /// pieces of work write in place; temporary memory is shared by all pieces of this recorder.
    /// - Parameter state: the tensors that are written in place, by this piece or others.
    func record(changing state: [Tensor], _ body: () throws -> Void) throws -> any RecordedWork
}

/// A moment in the order of a device's work.
public protocol DeviceMoment {
    /// Seconds from an earlier moment to this one; waits until the device has come so far.
    func seconds(since earlier: any DeviceMoment) -> Double
}

/// A device that computes when it is called.
struct HostMoment: DeviceMoment {
    let uptime = ProcessInfo.processInfo.systemUptime

    func seconds(since earlier: any DeviceMoment) -> Double {
        (earlier as? HostMoment).map { uptime - $0.uptime } ?? 0
    }
}

extension Device {
    public var firstUseNotice: String? { nil }
    public func makeRecorder() -> (any WorkRecorder)? { nil }
    public func moment() -> any DeviceMoment { HostMoment() }
    public var memoryInUse: (now: Int, peak: Int)? { nil }
    public func resetMemoryPeak() {}
}
