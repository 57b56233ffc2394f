#compdef nsq
# nsq: completion for zsh. In ~/.zshrc, after compinit: source <(nsq completion zsh)
_nsq() {
  local line word
  local -a described
  for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    word="${line%%$'\t'*}"
    if [[ $word == :files ]]; then
      compset -P '*='
      _files
      return
    elif [[ -n $word ]]; then
      described+=("${word//:/\\:}:${line#*$'\t'}")
    fi
  done
  _describe -V nsq described
}
if [[ "${funcstack[1]}" == _nsq ]]; then _nsq "$@"; else compdef _nsq nsq; fi
