// lks completion: the script with which a shell completes commands, options, topics and groups; `lks __complete` supplies the candidates.
import type { ClientCommand } from '../client-command.ts'

const shells = ['bash', 'zsh', 'fish'] as const

const scripts: Readonly<Record<string, string>> = {
  // Bash splits words at a colon or an equals sign, but lks does not: the part up to it is removed from each candidate.
  bash: `_lks() {
  local line="\${COMP_LINE:0:COMP_POINT}" current="\${COMP_WORDS[COMP_CWORD]}" word candidate
  word="\${line##*[[:space:]]}"
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("\${candidate#"\${word%"$current"}"}")
  done < <(lks __complete "$line" 2>/dev/null)
}
complete -o bashdefault -o default -F _lks lks
`,
  zsh: `#compdef lks
_lks() {
  local -a candidates
  candidates=("\${(@f)$(lks __complete "\${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then compadd -a candidates; else _files; fi
}
compdef _lks lks
`,
  fish: `complete -c lks -f -a '(lks __complete (commandline -cp | string collect) 2>/dev/null)'
`,
}

export const completion: ClientCommand = {
  path: ['completion'],
  summary: 'Print the completion script for a shell.',
  minor: true,
  arguments: [{ name: 'shell', required: true, doc: 'bash, zsh or fish.', completes: shells }],
  options: [],
  examples: ['source <(lks completion bash)', 'source <(lks completion zsh)', 'lks completion fish > ~/.config/fish/completions/lks.fish'],
  standalone: true,
  async run({ arguments: [shell = ''] }, { terminal }) {
    const script = scripts[shell]
    if (script === undefined) {
      const { UserError } = await import('local-kafka-service/internal/user-error')
      throw new UserError('LKS-1004', { what: `'${shell}' is not a supported shell`, fix: [`use one of ${shells.join(', ')}`] })
    }
    terminal.data.write(script)
  },
}
