// Which of several processes this one is. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A process's place among those that a launcher started for one job.
public struct ProcessRank: Sendable, Equatable {
    /// From 0.
    public var rank: Int
    /// Processes in all.
    public var size: Int
    /// The place among those on this machine; also the number of the GPU to use.
    public var local: Int

    public init(rank: Int = 0, size: Int = 1, local: Int = 0) {
        self.rank = rank
        self.size = size
        self.local = local
    }

    /// The variables of rank, size and local rank that launchers set: torchrun and the like, Open MPI,
    /// MPICH and Intel MPI, SLURM.
    private static let variables = [
        ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
        ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
        ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
    ]

    /// A word that the processes of one job share and other jobs hardly do, fit for a file's name.
    public static func job(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> String {
        let names = [
            "WORKBENCH_JOB", "TORCHELASTIC_RUN_ID", "PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid",
            "PMI_JOBID", "SLURM_JOB_ID", "MASTER_PORT",
        ]
        let words = names.compactMap { environment[$0] }.joined(separator: "-")
        return String(words.map { $0.isLetter || $0.isNumber ? $0 : "-" }.suffix(80))
    }

    /// Reads it off the environment; one process when no launcher is found.
    ///
    /// - Throws: ``CUDAError/badRank(variable:value:)``.
    public static func current(
        _ environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CUDAError) -> ProcessRank {
        for (rankName, sizeName, localName) in variables {
            guard let rankText = environment[rankName], let sizeText = environment[sizeName]
            else { continue }
            guard let size = Int(sizeText), size > 0 else {
                throw .badRank(variable: sizeName, value: sizeText)
            }
            guard let rank = Int(rankText), (0..<size).contains(rank) else {
                throw .badRank(variable: rankName, value: rankText)
            }
            guard let localText = environment[localName] else {
                return ProcessRank(rank: rank, size: size, local: rank)
            }
            guard let local = Int(localText), local >= 0 else {
                throw .badRank(variable: localName, value: localText)
            }
            return ProcessRank(rank: rank, size: size, local: local)
        }
        return ProcessRank()
    }
}
