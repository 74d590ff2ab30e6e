// `doctor`'s lines on CUDA. SPDX-License-Identifier: Apache-2.0
import Core

/// What of CUDA is there, and what what is missing would be good for.
struct CUDAReport: Encodable {
    struct Library: Encodable {
        var name: String
        var path: String?
        var purpose: String
        var problem: String?
    }

    var devices: [String] = []
    var driver: String?
    var problem: String?
    var libraries: [Library] = []

    init() {
        do {
            let (found, version) = try CUDADescription.all()
            driver = version
            devices = found.map {
                "\($0.name), compute capability \($0.computeCapability), \($0.memory >> 30) GiB"
            }
            if found.isEmpty { problem = "\(CUDAError.noSuchDevice(wanted: 0, found: 0))" }
        } catch {
            problem = "\(error)"
        }
        libraries = CUDALibrary.allCases.map { library in
            let path = library.path
            return Library(
                name: library.fileName, path: path, purpose: library.purpose,
                problem: path == nil
                    ? "install \(library.package), or name its folder in WORKBENCH_CUDA_LIBS" : nil)
        }
    }

    /// For people; a machine without NVIDIA's driver needs no list of what else it lacks.
    var lines: [String] {
        guard let driver else {
            return [
                "CUDA      none: \(CUDALibrary.driver.fileName) is not there; computing on the CPU"
            ]
        }
        var lines = ["CUDA      driver for CUDA \(driver)"]
        lines += devices.enumerated().map { "  GPU \($0.offset)     \($0.element)" }
        if let problem { lines.append("  → \(problem)") }
        for library in libraries {
            if let path = library.path {
                lines.append("  library   \(path), for \(library.purpose)")
            } else {
                lines.append(
                    "  → \(library.name) is missing, for \(library.purpose): "
                        + (library.problem ?? ""))
            }
        }
        return lines
    }
}
