// The device that new tensors are made on. SPDX-License-Identifier: Apache-2.0

/// The device in force for the current task or thread.
///
/// Models never name a device: whoever runs them chooses it with ``withDevice(_:_:)``, and every
/// tensor and parameter made inside lives there.
package enum CurrentDevice {
    @TaskLocal package static var value: any Device = CPUDevice.shared
}

/// The device that tensors are made on unless another is given.
public var currentDevice: any Device { CurrentDevice.value }

/// Runs `body` with another device for all tensors that it makes.
public func withDevice<R>(_ device: any Device, _ body: () throws -> R) rethrows -> R {
    try CurrentDevice.$value.withValue(device, operation: body)
}
