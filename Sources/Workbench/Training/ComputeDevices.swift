// The places where models and trainings can compute. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The CPU and the GPUs found, opened once each.
final class ComputeDevices: @unchecked Sendable {
    private let processor: CPUDevice
    private let precision: CUDADevice.Precision
    private let lock = NSLock()
    private var opened: [String: any Device] = [:]

    /// - Parameter opened: the device that the program started on.
    init(opened device: any Device, precision: CUDADevice.Precision) {
        processor = device as? CPUDevice ?? .shared
        self.precision = precision
        if device is CUDADevice { opened[Self.name(of: device)] = device }
    }

    /// "cpu" or "cuda:0".
    static func name(of device: any Device) -> String {
        (device as? CUDADevice).map { "cuda:\($0.ordinal)" } ?? "cpu"
    }

    /// What is there, the CPU first, and why there is no GPU.
    static func entries() -> (devices: [DeviceEntry], problem: String?) {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var devices = [DeviceEntry(name: "cpu", title: "CPU, \(cores) cores")]
        do {
            let (found, _) = try CUDADescription.all()
            for (ordinal, gpu) in found.enumerated() {
                devices.append(
                    DeviceEntry(name: "cuda:\(ordinal)", title: gpu.name, totalBytes: gpu.memory))
            }
            return (devices, found.isEmpty ? "\(CUDAError.noSuchDevice(wanted: 0, found: 0))" : nil)
        } catch {
            return (devices, "\(error)")
        }
    }

    /// The same, with the free memory of those GPUs that are open.
    func entries() -> (devices: [DeviceEntry], problem: String?) {
        var found = Self.entries()
        for i in found.devices.indices {
            guard let gpu = lock.withLock({ opened[found.devices[i].name] }) as? CUDADevice else {
                continue
            }
            if let memory = gpu.memoryInfo {
                found.devices[i].freeBytes = memory.free
                found.devices[i].totalBytes = memory.total
            }
        }
        return found
    }

    /// The device of a name, "cpu" or "cuda:0".
    ///
    /// - Throws: `CUDAError` when a GPU cannot be used.
    func device(named name: String) throws -> any Device {
        guard name != "cpu" else { return processor }
        guard case .cuda(let ordinal) = DeviceChoice(argument: name) else {
            throw InputError("There is no device \(name); there are cpu and cuda:N.")
        }
        return try lock.withLock {
            if let device = opened[name] { return device }
            let device = try CUDADevice(ordinal: ordinal ?? 0, precision: precision)
            opened[name] = device
            return device
        }
    }
}
